import { DragomanError } from '../errors.js';
import type { NBestEntry } from './nbest.js';
import { rounded } from './nbest-fields.js';
import { mosesFormat } from './nbest-moses.js';
import type { TranslatedHypothesis, Translation } from './translator.js';

/** Turns a translation into the lines that stand for it. */
export type TranslationFormatter = (translation: Translation) => string[];

/**
 * `text`: line i is the translation of line i, with its alignment behind ` ||| ` when there is one (as Marian does).
 * `jsonl`: one object a line, with everything. `moses`: an n-best list, alignments after the total (as Moses does).
 * The last two are n-best lists that scoring and reranking read.
 */
const FORMATS = {
  text: ({ hypotheses }) => {
    const [best] = hypotheses;
    const text = best!.text.replaceAll(/[\r\n]+/g, ' ');
    return [best!.alignment === null ? text : `${text} ||| ${pharaoh(best!.alignment)}`];
  },

  jsonl: ({ id, source, text, hypotheses }) => [
    JSON.stringify({ id, source, text, hypotheses: hypotheses.map(plain) }),
  ],

  moses: ({ id, hypotheses }) => mosesFormat.writer()({ id, entries: hypotheses.map(entryOf) }),
} satisfies Record<string, TranslationFormatter>;

export type TranslationFormatName = keyof typeof FORMATS;
export const TRANSLATION_FORMATS = Object.keys(FORMATS) as TranslationFormatName[];

/**
 * The formatter of this name for `nbest` hypotheses a sentence. Throws `usage` for an unknown name, and for an n-best
 * list as text, whose lines would no longer be those of the input.
 */
export function translationFormatter(name: string, nbest = 1): TranslationFormatter {
  if (!Object.hasOwn(FORMATS, name)) {
    throw new DragomanError(
      'usage',
      `expected an output format of ${TRANSLATION_FORMATS.join(', ')}, got ${name}`,
    );
  }
  if (name === 'text' && nbest > 1) {
    throw new DragomanError(
      'usage',
      `expected the format jsonl or moses for ${nbest} hypotheses a sentence, got text`,
    );
  }
  return FORMATS[name as TranslationFormatName];
}

/** Pharaoh format: `0-0 1-2`, source token and target token from 0. */
export function pharaoh(alignment: readonly (readonly [number, number])[]): string {
  return alignment.map(([source, target]) => `${source}-${target}`).join(' ');
}

function entryOf(hypothesis: TranslatedHypothesis): NBestEntry {
  const { text, score, normalised, alignment } = hypothesis;
  const features = new Map([['score', [rounded(score)]]]);
  if (normalised !== null) features.set('normalised', [rounded(normalised)]);
  const after = alignment === null ? [] : [pharaoh(alignment)];
  return { text, features, total: rounded(normalised ?? score), rest: { moses: { before: [], after } } };
}

function plain(hypothesis: TranslatedHypothesis): Record<string, unknown> {
  const { text, score, normalised, tokens, tokenScores, alignment, limited } = hypothesis;
  return {
    text,
    score: rounded(score),
    ...(normalised === null ? {} : { normalised: rounded(normalised) }),
    total: rounded(normalised ?? score),
    tokens,
    tokenScores: Array.from(tokenScores, rounded),
    ...(alignment === null ? {} : { alignment: pharaoh(alignment) }),
    limited,
  };
}
