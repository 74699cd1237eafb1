import { DragomanError, excerpt } from '../errors.js';
import type { NBestEntry, NBestFormat } from './nbest.js';
import { looksLikeNumber, parseId, parseScore } from './nbest-fields.js';

const SEPARATOR = '|||';
/** Moses' own escape of `|`, so that a hypothesis that holds the separator stays one field. */
const ESCAPED = '&#124;&#124;&#124;';

/** Marian's scores of single words, as many as there are words: no features, but a field that keeps its place. */
const WORD_SCORES = /^WordScores=/;

/** Marian's features. A number before them is no total but its soft alignment of one word to one: `1`. */
const isMarianFeatures = (field: string): boolean => field.startsWith('F0=');

/** A field of features begins with a name: `name=`, or `name:` as Moses wrote it until 2013. */
const FEATURES = /^\S+?=|^\S+:\s/;
const NAME = /^([^=]+)=(.*)$|^(\S+):$/;

/**
 * `id ||| hypothesis ||| name= value … ||| total`, as Moses writes it (several values a name; word alignment after
 * the total) and Marian (`F0= -1.2`, also without the space; an alignment or `WordScores=` field before the
 * features, which stays as it is). A line without features (`id ||| hypothesis` or `id ||| hypothesis ||| total`) is one too.
 */
export const mosesFormat: NBestFormat = {
  reader: () => (line, where) => {
    const fields = line.split(SEPARATOR).map((field) => field.trim());
    if (fields.length < 2) {
      throw new DragomanError(
        'input',
        `${where}: expected "id ||| hypothesis ||| name= value … ||| total", got ${excerpt(line)}`,
      );
    }
    const id = parseId(fields[0]!, where);
    const text = fields[1]!.replaceAll(ESCAPED, SEPARATOR);
    const features = new Map<string, number[]>();
    const before: string[] = [];
    let total: number | null = null;
    let at = 2;
    for (; at < fields.length && total === null; at++) {
      const field = fields[at]!;
      if (WORD_SCORES.test(field)) before.push(field);
      else if (field === '' || FEATURES.test(field)) parseFeatures(field, features, where);
      else if (looksLikeNumber(field) && !fields.slice(at + 1).some(isMarianFeatures))
        total = parseScore(field, 'the total', where);
      else before.push(field);
    }
    const entry: NBestEntry = { text, features, total, rest: { moses: { before, after: fields.slice(at) } } };
    return { id, entries: [entry], whole: false };
  },

  writer:
    () =>
    ({ id, entries }) =>
      entries.map(({ text, features, total, rest }) => {
        const { before, after } = rest.moses ?? { before: [], after: [] };
        const scores = [...features].map(([name, values]) => `${name}= ${values.join(' ')}`);
        const fields = [
          String(id),
          oneLine(text).replaceAll(SEPARATOR, ESCAPED),
          ...before,
          scores.join(' '),
        ];
        if (total !== null || after.length > 0) fields.push(String(total ?? 0));
        return [...fields, ...after].join(` ${SEPARATOR} `);
      }),
};

/** Adds `name= v v name2=v` to the features. */
function parseFeatures(field: string, features: Map<string, number[]>, where: string): void {
  let values: number[] | null = null;
  let name = '';
  for (const word of field.split(/\s+/).filter((part) => part !== '')) {
    const match = NAME.exec(word);
    let value = word;
    if (match !== null) {
      name = match[1] ?? match[3]!;
      if (features.has(name)) {
        throw new DragomanError('input', `${where}: expected each feature once, got ${excerpt(name)} again`);
      }
      values = [];
      features.set(name, values);
      value = match[2] ?? '';
      if (value === '') continue;
    }
    if (values === null) {
      throw new DragomanError('input', `${where}: expected "name= value …", got ${excerpt(field)}`);
    }
    values.push(parseScore(value, `feature ${excerpt(name)}`, where));
  }
}

/** A hypothesis is one line, whatever its characters. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}
