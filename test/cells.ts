import { CELL_KINDS, type CellInput } from '../src/cell/options.js';

/** What the shared suites run over: every kind as it is by default, then kinds with other options, small enough for tests. */
export const CELLS: ReadonlyArray<readonly [name: string, cell: CellInput]> = [
  ...CELL_KINDS.map((kind) => [kind, small(kind)] as const),
  ['jordan, with decay and its own hidden size', { kind: 'jordan', hiddenUnits: 5, decay: 0.5 }],
  ['fully-recurrent, two hidden units', { kind: 'fully-recurrent', hiddenUnits: 2 }],
  ['echo-state, leaky and biased', { kind: 'echo-state', leak: 0.4, sparsity: 0.5, biasScaling: 0.3 }],
  ['continuous-time, one step', { kind: 'continuous-time', timeConstant: 3, step: 0.5, substeps: 1 }],
  ['hierarchical, odd periods', { kind: 'hierarchical', periods: [1, 3] }],
  ['recurrent-mlp, three layers', { kind: 'recurrent-mlp', widths: [3, 5] }],
  ['second-order, full', { kind: 'second-order', rank: 0, activation: 'sigmoid' }],
  ['sequential-cascaded, full', { kind: 'sequential-cascaded', rank: 0, activation: 'sigmoid' }],
  ['sequential-cascaded, full, narrow state', { kind: 'sequential-cascaded', rank: 0, stateWidth: 2 }],
  ['sequential-cascaded, narrow state', { kind: 'sequential-cascaded', rank: 3, stateWidth: 2 }],
  ['hopfield, one update, warm', { kind: 'hopfield', settlingSteps: 1, inverseTemperature: 0.7 }],
];

/** The default cell of a kind; a rank below the default's, which would hide the tiny sizes of the tests. */
function small(kind: (typeof CELL_KINDS)[number]): CellInput {
  return kind === 'second-order' || kind === 'sequential-cascaded' ? { kind, rank: 5 } : kind;
}
