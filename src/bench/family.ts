import type { CellKind } from '../cell/options.js';
import { DragomanError } from '../errors.js';
import { addingTask } from './family-adding.js';
import { additionTask } from './family-addition.js';
import { delayLineTask } from './family-delay-line.js';
import { mackeyGlassTask } from './family-mackey-glass.js';
import type { FamilyTaskName } from './family-names.js';
import { patternTask } from './family-patterns.js';
import { pronunciationTask } from './family-pronunciation.js';
import { reberTask } from './family-reber.js';
import type { FamilyBudget, FamilyTask, Outcome, Trial } from './family-task.js';
import { tomitaTask } from './family-tomita.js';
import { transductionTask } from './family-transduction.js';
import type { TrainingWatch } from './watch.js';

/** Every task of the family's benchmark. A new one is one file, one name and one line here. */
const TASKS: Readonly<Record<FamilyTaskName, FamilyTask>> = {
  addition: additionTask,
  reber: reberTask,
  tomita: tomitaTask,
  adding: addingTask,
  'delay-line': delayLineTask,
  'mackey-glass': mackeyGlassTask,
  patterns: patternTask,
  transduction: transductionTask,
  pronunciation: pronunciationTask,
};

/** The mean of a figure over the seeds, with its spread. */
export interface Figure {
  readonly mean: number;
  /** Standard deviation over the seeds; null for a single one. */
  readonly deviation: number | null;
  readonly values: readonly number[];
}

/** One row of a task's table. */
export interface FamilyRow {
  readonly subject: string;
  /** The kind of cell that the row is about, also where the network stands on its own. */
  readonly member: CellKind;
  readonly setting: string;
  readonly measures: Readonly<Record<string, Figure>>;
  readonly parameters: number;
  /** Null where nothing is trained step by step. */
  readonly millisecondsPerStep: number | null;
  /** The mean of the seeds' curves. */
  readonly curve: readonly (readonly [x: number, y: number])[];
}

/** What a task came to. */
export interface FamilyResult {
  readonly task: FamilyTaskName;
  readonly title: string;
  readonly source: string;
  readonly axes: FamilyTask['axes'];
  readonly seeds: readonly number[];
  readonly quick: boolean;
  readonly rows: readonly FamilyRow[];
}

export interface FamilyOptions extends FamilyBudget {
  readonly seeds: readonly number[];
}

/** Who looks on while a task runs. */
export interface FamilyWatch {
  /** @param done,total steps of all runs together */
  readonly onProgress?: (done: number, total: number, what: string) => void;
  /** Ends the task after the running step; rows whose seeds have not all run are left out. */
  readonly signal?: AbortSignal;
}

/** Why a task cannot be run here; null if it can. */
export async function whyUnavailable(name: FamilyTaskName, budget: FamilyBudget): Promise<string | null> {
  const task = TASKS[name];
  if (task.trials(budget).length === 0) return `none of its members is among ${budget.cells?.join(', ')}`;
  return (await task.unavailable?.()) ?? null;
}

/**
 * Runs one task of the family's benchmark, every member for every seed, on the engine that is running.
 * @throws DragomanError `usage` without seeds
 */
export async function runFamilyTask(
  name: FamilyTaskName,
  options: FamilyOptions,
  watch: FamilyWatch = {},
): Promise<FamilyResult> {
  const { seeds, quick } = options;
  if (seeds.length === 0) throw new DragomanError('usage', 'family: expected at least one seed, got none');
  const task = TASKS[name];
  const trials = task.trials(options);
  const total = trials.reduce((sum, trial) => sum + trial.steps, 0) * seeds.length;
  let before = 0;
  const rows: FamilyRow[] = [];
  for (const trial of trials) {
    const outcomes: Outcome[] = [];
    for (const seed of seeds) {
      const label = [trial.subject, trial.setting, `seed ${seed}`].filter(Boolean).join(', ');
      watch.onProgress?.(before, total, label);
      const outcome = await trial.run(
        seed,
        forTrial(watch, (step) => watch.onProgress?.(before + step, total, label)),
      );
      if (watch.signal?.aborted) break;
      before += trial.steps;
      outcomes.push(outcome);
    }
    if (outcomes.length < seeds.length) break;
    rows.push(rowOf(trial, outcomes));
  }
  const { title, source, axes } = task;
  return { task: name, title, source, axes, seeds, quick, rows };
}

function forTrial({ signal }: FamilyWatch, onStep: (step: number) => void): TrainingWatch {
  return signal === undefined ? { onStep } : { onStep, signal };
}

function rowOf({ subject, member, setting }: Trial, outcomes: readonly Outcome[]): FamilyRow {
  const [first] = outcomes as [Outcome];
  const times = outcomes.map((outcome) => outcome.millisecondsPerStep);
  return {
    subject,
    member,
    setting,
    measures: Object.fromEntries(
      Object.keys(first.measures).map((name) => [
        name,
        figure(outcomes.map((outcome) => outcome.measures[name]!)),
      ]),
    ),
    parameters: first.parameters,
    millisecondsPerStep: first.millisecondsPerStep === null ? null : average(times as number[]),
    curve: first.curve.map(([x], k) => [x, average(outcomes.map((outcome) => outcome.curve[k]![1]))]),
  };
}

function figure(values: readonly number[]): Figure {
  const mean = average(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length === 1 ? null : Math.sqrt(squares / (values.length - 1));
  return { mean, deviation, values };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
