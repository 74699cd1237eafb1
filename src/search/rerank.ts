import { DragomanError, excerpt } from '../errors.js';
import type { SourcedList } from './nbest.js';
import { rounded } from './nbest-fields.js';
import { checkWeights, listScores, type Weights } from './weights.js';

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

/** The total the list came with, as a feature. A list that was reranked before has it already, and keeps it. */
export const GIVEN_TOTAL = 'total';

/** So many hypotheses are scored together. */
const HYPOTHESES_PER_CHUNK = 2048;

/**
 * Reorders n-best lists of any system by a weighted sum of features: those in the list, its own total (`total`), and
 * those computed here. Best first; equal ones keep their order. Every hypothesis goes out with the computed features
 * added (replacing one of the same name), its total as the feature `total` (unless it has one: then it was reranked
 * before), and the new score as its total.
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
  checkWeights(weights);
  for await (const list of featureStream(lists, features)) yield reorder(list, weights);
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

/**
 * Lists as they came, in their order, with the computed features and the feature `total` added to every hypothesis.
 * Some lists are read ahead, so that models score about two thousand hypotheses at a time; memory holds no more.
 */
export async function* featureStream(
  lists: Iterable<SourcedList> | AsyncIterable<SourcedList>,
  features: readonly FeatureFunction[],
): AsyncGenerator<SourcedList> {
  checkNames(features);
  let chunk: SourcedList[] = [];
  let hypotheses = 0;
  for await (const list of lists) {
    chunk.push(list);
    hypotheses += list.entries.length;
    // Where nothing is computed nothing is gained by waiting.
    if (features.length > 0 && hypotheses < HYPOTHESES_PER_CHUNK) continue;
    yield* await addFeatures(chunk, features);
    chunk = [];
    hypotheses = 0;
  }
  yield* await addFeatures(chunk, features);
}

/** The list ordered by the weighted sum of its features, which becomes the total. */
export function reorder(list: SourcedList, weights: Weights): SourcedList {
  const scores = listScores(list, weights);
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  return { ...list, entries: order.map((i) => ({ ...list.entries[i]!, total: rounded(scores[i]!) })) };
}

async function addFeatures(
  lists: readonly SourcedList[],
  features: readonly FeatureFunction[],
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
    const entries = list.entries.map((entry) => {
      const all = new Map<string, readonly number[]>(entry.features);
      if (entry.total !== null && !all.has(GIVEN_TOTAL)) all.set(GIVEN_TOTAL, [entry.total]);
      features.forEach(({ name }, column) => {
        all.set(name, [columns[column]![at]!]);
      });
      at++;
      return { ...entry, features: all };
    });
    return { ...list, entries };
  });
}

function checkNames(features: readonly FeatureFunction[]): void {
  const names = features.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new DragomanError('usage', `expected features of different names, got ${excerpt(twice)} twice`);
  }
}
