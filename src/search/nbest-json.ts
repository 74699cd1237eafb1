import { DragomanError, excerpt, messageOf } from '../errors.js';
import type { NBestEntry, NBestFormat } from './nbest.js';
import { parseId } from './nbest-fields.js';

/**
 * One JSON object a line: a sentence with all its hypotheses, as `dragoman translate --format jsonl` writes it,
 *
 *     {"id": 0, "hypotheses": [{"text": "ein Haus", "features": {"lm": -3.1}, "total": -2.5}, …]}
 *
 * or one hypothesis: `{"id": 0, "text": "ein Haus", "lm": -3.1, "total": -2.5}`. Numbers beside `text` are features
 * too; other keys are kept. Written sentence by sentence, with features in an object of their own; a sentence's
 * `text` is that of its first hypothesis.
 */
export const jsonFormat: NBestFormat = {
  reader: () => (line, where) => {
    const object = parseObject(line, where);
    const id = parseId(typeof object.id === 'number' ? String(object.id) : '', `${where}: "id"`);
    if (object.hypotheses === undefined) {
      const { id: _, ...hypothesis } = object;
      return { id, entries: [entryOf(hypothesis, where)], whole: false };
    }
    if (!Array.isArray(object.hypotheses)) {
      throw new DragomanError(
        'input',
        `${where}: expected a list as "hypotheses", got ${excerptOf(object.hypotheses)}`,
      );
    }
    const entries = object.hypotheses.map((item, i) => {
      const place = `${where}: "hypotheses"[${i}]`;
      if (!isObject(item))
        throw new DragomanError('input', `${place}: expected an object, got ${excerptOf(item)}`);
      return entryOf(item, place);
    });
    const { id: _, hypotheses: __, ...json } = object;
    return { id, entries, whole: true, rest: { json } };
  },

  writer:
    () =>
    ({ id, entries, rest: { json = {} } = {} }) => {
      const best = typeof json.text === 'string' && entries[0] ? { text: entries[0].text } : {};
      const hypotheses = entries.map(({ text, features, total, rest }) => ({
        text,
        ...(total === null ? {} : { total: total }),
        features: Object.fromEntries(
          [...features].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
        ),
        ...rest.json,
      }));
      return [JSON.stringify({ id, ...json, ...best, hypotheses })];
    },
};

function entryOf(object: Readonly<Record<string, unknown>>, where: string): NBestEntry {
  const { text, total, features: given, ...others } = object;
  if (typeof text !== 'string') {
    throw new DragomanError('input', `${where}: expected a string as "text", got ${excerptOf(text)}`);
  }
  if (given !== undefined && !isObject(given)) {
    throw new DragomanError('input', `${where}: expected an object as "features", got ${excerptOf(given)}`);
  }
  const features = new Map<string, number[]>();
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(others)) {
    if (typeof value === 'number') features.set(name, [value]);
    else rest[name] = value;
  }
  for (const [name, value] of Object.entries(given ?? {})) {
    if (features.has(name)) {
      throw new DragomanError('input', `${where}: expected each feature once, got ${excerpt(name)} again`);
    }
    const values = Array.isArray(value) ? value : [value];
    features.set(
      name,
      values.map((item) => number(item, `feature ${excerpt(name)}`, where)),
    );
  }
  return {
    text,
    features,
    total: total === undefined || total === null ? null : number(total, 'the total', where),
    rest: { json: rest },
  };
}

function parseObject(line: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new DragomanError(
      'input',
      `${where}: expected a JSON object, got ${excerpt(line)}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  if (!isObject(value))
    throw new DragomanError('input', `${where}: expected a JSON object, got ${excerpt(line)}`);
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function number(value: unknown, what: string, where: string): number {
  if (typeof value === 'number') return value;
  throw new DragomanError('input', `${where}: expected a number as ${what}, got ${excerptOf(value)}`);
}

function excerptOf(value: unknown): string {
  return value === undefined ? 'nothing' : excerpt(JSON.stringify(value));
}
