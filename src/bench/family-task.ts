import type { CellKind } from '../cell/options.js';
import type { PlotAxes } from './line-plot.js';
import type { TrainingWatch } from './watch.js';

/** What of a task is to be run. */
export interface FamilyBudget {
  /** Only these members; null for those that the task is about. */
  readonly cells: readonly CellKind[] | null;
  /** A fraction of the training, so that all tasks together take three minutes. */
  readonly quick: boolean;
}

/** What one run came to. */
export interface Outcome {
  /** Figures by their name, in the order of the table's columns; a name ends in its unit, as in `sums right, %`. */
  readonly measures: Readonly<Record<string, number>>;
  /** Numbers in the weights. */
  readonly parameters: number;
  /** Of training; null where nothing is trained step by step. */
  readonly millisecondsPerStep: number | null;
  /** Points of the task's plot. */
  readonly curve: readonly (readonly [x: number, y: number])[];
}

/** One row of a task's table: a member in a setting, run once for each seed. */
export interface Trial {
  /** The member: a cell's kind, or a network that stands on its own. */
  readonly subject: string;
  /** The kind of cell that it is, or stands for. */
  readonly member: CellKind;
  /** What else tells the rows apart, such as `T = 50`; empty where nothing does. */
  readonly setting: string;
  /** Steps of training, the unit of progress. */
  readonly steps: number;
  /** A run that was interrupted gives figures that nobody should read. */
  run(seed: number, watch: TrainingWatch): Promise<Outcome>;
}

/** One measure by which members of the family are compared. */
export interface FamilyTask {
  /** One line for the table's head. */
  readonly title: string;
  /** Who measured it first. */
  readonly source: string;
  /** What {@link Outcome.curve} shows. */
  readonly axes: PlotAxes;
  /** Why the task cannot be run here; null if it can. */
  unavailable?(): Promise<string | null>;
  /** Empty where the budget names only members that the task does not know. */
  trials(budget: FamilyBudget): readonly Trial[];
}

/** The members to run: those asked for, else the task's own. */
export function membersOf(budget: FamilyBudget, own: readonly CellKind[]): readonly CellKind[] {
  return budget.cells ?? own;
}
