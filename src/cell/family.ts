import type { CellKind } from '../config.js';
import type { Cell, CellConstructor } from './cell.js';
import { ElmanCell } from './elman.js';
import { GruCell } from './gru.js';
import { LstmCell } from './lstm.js';

/** The recurrent family. A new member is one file and one line here. */
const FAMILY: Readonly<Record<CellKind, CellConstructor>> = {
  elman: ElmanCell,
  gru: GruCell,
  lstm: LstmCell,
};

/** A cell of the given kind that reads `inputSize` numbers a step and keeps `hiddenSize` units. */
export function createCell(kind: CellKind, inputSize: number, hiddenSize: number): Cell {
  return new FAMILY[kind](inputSize, hiddenSize);
}
