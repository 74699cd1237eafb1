import { DragomanError } from '../errors.js';
import type { Cell } from './cell.js';
import {
  type CellInput,
  type CellKind,
  memberOf,
  type OptionsOf,
  resolveCell,
  sizeProblem,
} from './options.js';

/**
 * A cell that reads `inputSize` numbers a step and puts out `hiddenSize`.
 *
 * @param cell its kind, or its kind with options; what is not given takes its default
 * @throws DragomanError `usage` where so many units do not go with the options
 */
export function createCell(cell: CellInput, inputSize: number, hiddenSize: number): Cell {
  const options = resolveCell(cell);
  const problem = sizeProblem(options, hiddenSize);
  if (problem !== null) throw new DragomanError('usage', `${options.kind}: ${problem}`);
  return construct(options.kind, options, inputSize, hiddenSize);
}

function construct<K extends CellKind>(
  kind: K,
  options: OptionsOf<K>,
  inputSize: number,
  hiddenSize: number,
): Cell {
  return new (memberOf(kind))(inputSize, hiddenSize, options);
}
