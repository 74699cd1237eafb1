import { DragomanError, excerpt } from '../errors.js';
import type { BootstrapOptions } from '../metrics/bootstrap.js';
import type { Metric, MetricScore } from '../metrics/metric.js';
import { bestRows, CandidateCollector, type CandidateTable, rowStatistics } from './candidates.js';
import { type MertRun, mert } from './mert.js';
import type { SourcedList } from './nbest.js';
import { oracleRows } from './oracle.js';
import { defaultWeights, type FeatureFunction, featureStream, GIVEN_TOTAL } from './rerank.js';
import { objectiveOf, type RerankReport, reportOn } from './rerank-report.js';
import { flatFeatures, placeOf, type Weights } from './weights.js';

export interface TuneOptions<Score extends MetricScore = MetricScore> {
  /** What the weights shall make best. */
  readonly metric: Metric<Score>;
  /** Features that may get a weight; all others get 0. Default: every one there is. */
  readonly features?: readonly string[];
  /**
   * Where the first run begins; features that are not named begin at 0. Default: the computed features' defaults,
   * without computed features the total of the lists.
   */
  readonly initial?: Weights;
  /** Further runs from random starts; default 20. */
  readonly restarts?: number;
  /** Random directions searched in each pass besides the axes; default: as many as features. */
  readonly randomDirections?: number;
  /** Of the random starts and directions; default 1. */
  readonly seed?: number;
  readonly bootstrap?: BootstrapOptions;
  readonly onRun?: (run: MertRun) => void;
}

export interface TuneResult<Score extends MetricScore = MetricScore> {
  /** Of every feature of the lists, those without a part in it 0; absolute values sum to 1. */
  readonly weights: Weights;
  readonly report: RerankReport<Score>;
  readonly runs: readonly MertRun[];
  /** Features that tell no two candidates of a sentence apart. */
  readonly constant: readonly string[];
  /** Features that are equal to an earlier one everywhere. */
  readonly repeated: readonly string[];
  readonly sentences: number;
  /** Sentences without a candidate. */
  readonly empty: number;
  readonly candidates: number;
}

export const DEFAULT_RESTARTS = 20;

/**
 * Learns the weights of features on n-best lists with references (minimum error rate training, see {@link mert}).
 * What stays in memory of a candidate are its features and its metric's statistics, 8 bytes a number.
 *
 * @param lists development lists; every candidate needs the same features
 * @param references [sentence] the references of each list
 */
export async function tune<Score extends MetricScore>(
  lists: Iterable<SourcedList> | AsyncIterable<SourcedList>,
  features: readonly FeatureFunction[],
  references: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  options: TuneOptions<Score>,
): Promise<TuneResult<Score>> {
  const { metric } = options;
  const collected = await collect(featureStream(lists, features), references, options);
  const { table, names } = collected;
  const columns = table.names;
  const initial = options.initial ?? defaultStart(features, names);
  const unknown = Object.keys(initial).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new DragomanError(
      'input',
      `expected initial weights of features that the lists have (${names.join(', ')}), got ${excerpt(unknown)}`,
    );
  }
  const objective = objectiveOf(metric);
  const found = await mert(table, objective, {
    initial: columns.map((name) => initial[name] ?? 0),
    restarts: options.restarts ?? DEFAULT_RESTARTS,
    randomDirections: options.randomDirections ?? columns.length,
    seed: options.seed ?? 1,
    ...(options.onRun === undefined ? {} : { onRun: options.onRun }),
  });
  const after = bestRows(table, found.weights);
  const rows = (choice: Int32Array): number[][] => Array.from(choice, (row) => rowStatistics(table, row));
  const report = reportOn(
    metric,
    {
      before: rows(table.starts.subarray(0, -1)),
      after: rows(after),
      oracle: rows(oracleRows(table, objective, after)),
      referenceCount: collected.referenceCount,
    },
    options.bootstrap,
  );
  const learned = new Map(columns.map((name, i) => [name, found.weights[i]!]));
  return {
    weights: Object.fromEntries(names.map((name) => [name, learned.get(name) ?? 0])),
    report,
    runs: found.runs,
    constant: found.constant,
    repeated: found.repeated,
    sentences: table.starts.length - 1,
    empty: collected.empty,
    candidates: collected.candidates,
  };
}

/** Empty where neither is there: all features alike then. */
function defaultStart(features: readonly FeatureFunction[], names: readonly string[]): Weights {
  if (features.some(({ defaultWeight }) => defaultWeight !== 0)) return defaultWeights(features);
  return names.includes(GIVEN_TOTAL) ? { [GIVEN_TOTAL]: 1 } : {};
}

interface Collected {
  readonly table: CandidateTable;
  /** Every feature of the lists; those of the table are some of them, or all. */
  readonly names: readonly string[];
  readonly empty: number;
  readonly candidates: number;
  readonly referenceCount: number | 'var';
}

async function collect(
  lists: AsyncIterable<SourcedList>,
  references: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  { metric, features: chosen }: Pick<TuneOptions, 'metric' | 'features'>,
): Promise<Collected> {
  let collector: CandidateCollector | null = null;
  let names: readonly string[] = [];
  let empty = 0;
  let candidates = 0;
  let referenceCount: number | 'var' | null = null;
  /** Sentences without candidates before the first that has some, when the features are not known yet. */
  const early: (readonly number[])[] = [];
  const answers = iterate(references);
  for await (const list of lists) {
    const next = await answers.next();
    if (next.done) {
      throw new DragomanError('input', `${list.where}: expected references of sentence ${list.id}, got none`);
    }
    const compare = metric.against(next.value);
    if (referenceCount === null) referenceCount = next.value.length;
    else if (referenceCount !== next.value.length) referenceCount = 'var';
    if (list.entries.length === 0) {
      empty++;
      if (collector === null) early.push(compare(''));
      else collector.addEmpty(compare(''));
      continue;
    }
    for (const [i, { text, features }] of list.entries.entries()) {
      const flat = flatFeatures(features);
      const statistics = compare(text);
      if (collector === null) {
        names = [...flat.keys()];
        collector = new CandidateCollector(chooseNames(names, chosen), statistics.length);
        for (const before of early) collector.addEmpty(before);
      }
      requireSame(flat, chosen === undefined ? names : collector.names, chosen === undefined, () =>
        placeOf(list, i),
      );
      collector.add(
        collector.names.map((name) => flat.get(name)!),
        statistics,
      );
      candidates++;
    }
    collector!.endSentence();
  }
  if (!(await answers.next()).done) {
    throw new DragomanError('input', 'expected references of as many sentences as there are lists, got more');
  }
  if (collector === null) {
    throw new DragomanError(
      'input',
      'expected n-best lists with candidates, got none: there is nothing to learn',
    );
  }
  return { table: collector.table(), names, empty, candidates, referenceCount: referenceCount ?? 1 };
}

function chooseNames(names: readonly string[], chosen: readonly string[] | undefined): readonly string[] {
  const unknown = chosen?.find((name) => !names.includes(name));
  if (unknown === undefined) return chosen === undefined ? names : [...new Set(chosen)];
  throw new DragomanError('input', `expected features out of ${names.join(', ')}, got ${excerpt(unknown)}`);
}

/** Every candidate needs the features of the first, and where all are used no others. */
function requireSame(
  flat: ReadonlyMap<string, number>,
  names: readonly string[],
  exactly: boolean,
  place: () => string,
): void {
  const missing = names.filter((name) => !flat.has(name));
  if (missing.length === 0 && (!exactly || flat.size === names.length)) return;
  const besides = exactly ? [...flat.keys()].filter((name) => !names.includes(name)) : [];
  const told = [
    ...(missing.length > 0 ? [`no ${missing.map(excerpt).join(', ')}`] : []),
    ...(besides.length > 0 ? [`${besides.map(excerpt).join(', ')} besides`] : []),
  ];
  throw new DragomanError(
    'input',
    `${place()}: expected the features ${names.join(', ')}, as the first hypothesis has them, got ${told.join(' and ')}` +
      `${exactly ? ' (a choice of features can leave out those that only some have)' : ''}`,
  );
}

function iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}
