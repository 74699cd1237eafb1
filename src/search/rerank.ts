import { DragomanError, excerpt } from '../errors.js';
import { type BleuOptions, type BleuScore, bleu } from '../metrics/bleu.js';
import type { Features, NBestEntry, SourcedList } from './nbest.js';
import { looksLikeNumber, rounded } from './nbest-fields.js';

/** A score that is computed for every hypothesis of a list: log P under a model, its length, anything. */
export interface FeatureFunction {
  readonly name: string;
  /** One value for each pair, in their order. */
  compute(
    pairs: readonly { readonly source: string; readonly target: string }[],
  ): number[] | Promise<number[]>;
  /** Its weight where the user gives no weights at all. */
  readonly defaultWeight: number;
}

/** Weight of each feature by name; features without one count 0. */
export type Weights = Readonly<Record<string, number>>;

/** The total the list came with, as a feature. */
export const GIVEN_TOTAL = 'total';

/** So many hypotheses are scored together. */
const HYPOTHESES_PER_CHUNK = 2048;

/**
 * Reorders n-best lists of any system by a weighted sum of features: those in the list, its own total (`total`), and
 * those computed here. Best first; equal ones keep their order. Every hypothesis goes out with the computed features
 * added (replacing one of the same name), its former total as the feature `total`, and the new score as its total.
 *
 * A feature of one value is called by its name, the parts of one of several values `name.0`, `name.1`, …. A weight
 * for a name that a hypothesis does not have is an error that lists the choices. Without weights, each computed
 * feature counts with its default and everything else 0.
 */
export async function* rerankStream(
  lists: Iterable<SourcedList> | AsyncIterable<SourcedList>,
  features: readonly FeatureFunction[],
  weights: Weights = defaultWeights(features),
): AsyncGenerator<SourcedList> {
  checkWeights(weights, features);
  let chunk: SourcedList[] = [];
  let hypotheses = 0;
  for await (const list of lists) {
    chunk.push(list);
    hypotheses += list.entries.length;
    if (hypotheses < HYPOTHESES_PER_CHUNK) continue;
    yield* await rerankChunk(chunk, features, weights);
    chunk = [];
    hypotheses = 0;
  }
  yield* await rerankChunk(chunk, features, weights);
}

/** {@link rerankStream} for lists in memory. */
export async function rerank(
  lists: readonly SourcedList[],
  features: readonly FeatureFunction[],
  weights?: Weights,
): Promise<SourcedList[]> {
  const out: SourcedList[] = [];
  for await (const list of rerankStream(lists, features, weights)) out.push(list);
  return out;
}

export function defaultWeights(features: readonly FeatureFunction[]): Weights {
  return Object.fromEntries(features.map(({ name, defaultWeight }) => [name, defaultWeight]));
}

/** Reads `name=value,name=value`. Throws `usage`. */
export function parseWeights(text: string): Weights {
  const weights: Record<string, number> = {};
  for (const part of text.split(',')) {
    const match = /^\s*(\S+?)\s*=\s*(\S+)\s*$/.exec(part);
    if (match === null || !looksLikeNumber(match[2]!)) {
      throw new DragomanError('usage', `expected weights as name=value,name=value, got ${excerpt(part)}`);
    }
    if (Object.hasOwn(weights, match[1]!)) {
      throw new DragomanError('usage', `expected each weight once, got ${excerpt(match[1]!)} again`);
    }
    weights[match[1]!] = Number(match[2]);
  }
  return weights;
}

async function rerankChunk(
  lists: readonly SourcedList[],
  features: readonly FeatureFunction[],
  weights: Weights,
): Promise<SourcedList[]> {
  const pairs = lists.flatMap(({ source, entries }) => entries.map(({ text }) => ({ source, target: text })));
  const columns: number[][] = [];
  for (const feature of features) {
    const values = await feature.compute(pairs);
    if (values.length !== pairs.length) {
      throw new DragomanError(
        'model',
        `expected ${pairs.length} values of feature ${feature.name}, got ${values.length}`,
      );
    }
    columns.push(values.map(rounded));
  }
  let at = 0;
  return lists.map((list) => {
    const scored = list.entries.map((entry, i) => {
      const all = new Map<string, readonly number[]>(entry.features);
      if (entry.total !== null) all.set(GIVEN_TOTAL, [entry.total]);
      features.forEach(({ name }, column) => {
        all.set(name, [columns[column]![at]!]);
      });
      at++;
      const total = weightedSum(all, weights, `${list.where}: hypothesis ${i + 1} of sentence ${list.id}`);
      return { ...entry, features: all, total } satisfies NBestEntry;
    });
    scored.sort((a, b) => b.total - a.total);
    return { ...list, entries: scored.map((entry) => ({ ...entry, total: rounded(entry.total) })) };
  });
}

function weightedSum(features: Features, weights: Weights, where: string): number {
  let sum = 0;
  for (const [name, weight] of Object.entries(weights)) {
    const value = featureValue(features, name);
    if (value === undefined) {
      const choices = [...features].flatMap(([known, values]) =>
        values.length === 1 ? [known] : values.map((_, i) => `${known}.${i}`),
      );
      throw new DragomanError(
        'input',
        `${where}: expected a feature ${excerpt(name)}, which has a weight; there are ${choices.join(', ') || 'none'}`,
      );
    }
    sum += weight * value;
  }
  return sum;
}

function featureValue(features: Features, name: string): number | undefined {
  const values = features.get(name);
  if (values !== undefined) return values.length === 1 ? values[0] : undefined;
  const part = /^(.+)\.(\d+)$/.exec(name);
  const whole = part === null ? undefined : features.get(part[1]!);
  return whole !== undefined && whole.length > 1 ? whole[Number(part![2])] : undefined;
}

function checkWeights(weights: Weights, features: readonly FeatureFunction[]): void {
  for (const [name, weight] of Object.entries(weights)) {
    if (!Number.isFinite(weight)) {
      throw new DragomanError('usage', `expected a finite weight of ${excerpt(name)}, got ${weight}`);
    }
  }
  const names = features.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new DragomanError('usage', `expected features of different names, got ${excerpt(twice)} twice`);
  }
}

/** Corpus BLEU of the first hypotheses, as they came and as they were reordered. */
export interface RerankReport {
  readonly before: BleuScore;
  readonly after: BleuScore;
  /** Sentences whose first hypothesis changed. */
  readonly changed: number;
  readonly sentences: number;
}

/**
 * What reranking did to BLEU. `before` and `after` hold the first hypothesis of each sentence, in source order, the
 * empty string where a sentence has none.
 */
export function compareBleu(
  before: readonly string[],
  after: readonly string[],
  references: readonly (readonly string[])[],
  options: BleuOptions = {},
): RerankReport {
  const sets = references.map((set) => [...set]);
  return {
    before: bleu([...before], sets, options),
    after: bleu([...after], sets, options),
    changed: before.filter((text, i) => text !== after[i]).length,
    sentences: before.length,
  };
}
