import type { Cell, CellConstructor } from './cell.js';
import { ContinuousTimeCell } from './continuous-time.js';
import { EchoStateCell } from './echo-state.js';
import { ElmanCell } from './elman.js';
import { FullyRecurrentCell } from './fully-recurrent.js';
import { GruCell } from './gru.js';
import { HierarchicalCell } from './hierarchical.js';
import { HopfieldCell } from './hopfield.js';
import { JordanCell } from './jordan.js';
import { LstmCell } from './lstm.js';
import { type CellInput, type CellKind, type CellOptions, type OptionsOf, resolveCell } from './options.js';
import { RecurrentMlpCell } from './recurrent-mlp.js';
import { SecondOrderCell } from './second-order.js';
import { SequentialCascadedCell } from './sequential-cascaded.js';

type Family = { readonly [K in CellKind]: CellConstructor<K> };

/** The recurrent family. A new member is one file, its options, and one line here. */
const FAMILY: Family = {
  elman: ElmanCell,
  jordan: JordanCell,
  'fully-recurrent': FullyRecurrentCell,
  lstm: LstmCell,
  gru: GruCell,
  'echo-state': EchoStateCell,
  'continuous-time': ContinuousTimeCell,
  hierarchical: HierarchicalCell,
  'recurrent-mlp': RecurrentMlpCell,
  'second-order': SecondOrderCell,
  'sequential-cascaded': SequentialCascadedCell,
  hopfield: HopfieldCell,
};

/**
 * A cell that reads `inputSize` numbers a step and puts out `hiddenSize`.
 *
 * @param cell its kind, or its kind with options; what is not given takes its default
 */
export function createCell(cell: CellInput, inputSize: number, hiddenSize: number): Cell {
  return construct(resolveCell(cell), inputSize, hiddenSize);
}

function construct<K extends CellKind>(
  options: OptionsOf<K> & CellOptions,
  inputSize: number,
  hiddenSize: number,
): Cell {
  return new FAMILY[options.kind as K](inputSize, hiddenSize, options);
}
