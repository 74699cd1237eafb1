// The rules of NIST's mteval-v13a for Western text. They run one after the other: each sees the blanks that the ones
// before it put in. BLEU's tokenizers and TER's normalization are made of them.

/** `&quot;`, `&amp;`, `&lt;`, `&gt;`, one after the other as mteval does it: `&amp;lt;` ends as `<`. */
export function resolveEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
}

/** Blanks around ASCII punctuation but apostrophe, comma, dash and full stop. */
export function spaceMarks(text: string): string {
  return text.replaceAll(/[ !"#$%&()*+:;<=>?@/[\\\]^_`{|}~]/g, ' $& ');
}

/** Blanks around comma and full stop unless a digit is on both sides, and around a dash after a digit. */
export function spaceStops(text: string): string {
  return text
    .replaceAll(/([^0-9])([.,])/g, '$1 $2 ')
    .replaceAll(/([.,])([^0-9])/g, ' $1 $2')
    .replaceAll(/([0-9])-/g, '$1 - ');
}
