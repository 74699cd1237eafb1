/** Levenshtein's distance with adjacent swaps (optimal string alignment), in UTF-16 units. */
export function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => {
    const row = new Uint32Array(b.length + 1);
    row[0] = i;
    return row;
  });
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let j = 0; j <= b.length; j++) rows[0]?.fill(j, j, j + 1);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const cost = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
      rows[i]?.fill(cost, j, j + 1);
    }
  }
  return at(a.length, b.length);
}

/** The choice that `word` was most likely meant to be, or none if all are far from it. */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  if (word.length > 50) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length * 0.4)) + 1;
  for (const choice of choices) {
    const distance = editDistance(word.toLowerCase(), choice.toLowerCase());
    if (distance < least) [best, least] = [choice, distance];
  }
  return best;
}
