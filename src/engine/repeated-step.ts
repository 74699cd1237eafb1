import { getBackend, type Scalar, scalar, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import { Graph, type HostTensor } from './graph.js';
import { differenceOf, type Program, record } from './recording.js';
import { ResourceVariable, type Variable } from './variables.js';

/** Numbers that a step gets, by name. */
export type StepInputs<Name extends string> = Readonly<Record<Name, HostTensor>>;

/** The same as tensors. */
export type StepTensors<Name extends string> = Readonly<Record<Name, Tensor>>;

/** A graph keeps its constants and intermediate values; shapes beyond so many run operation by operation. */
const MOST_SHAPES = 32;

/**
 * A computation that is run over and over on tensors of a few shapes, such as a training step of a small model, whose
 * cost is not the arithmetic but the starting of a few hundred small operations.
 *
 * On the tensorflow engine the first runs on inputs of one shape are recorded, and once two in a row did the same, all later
 * ones are one call of a TensorFlow graph of these operations. (The very first may do more: kernels try out what the
 * engine has.) Elsewhere every run runs the function.
 */
export class RepeatedStep<Name extends string> {
  readonly #graphs = new Map<string, Graph | Program[]>();

  /**
   * @param variables everything that it may read and change besides its inputs
   * @param compute a function of inputs and variables alone, which reads no value back and decides nothing by values:
   *   what else it uses is taken for constant, and random numbers would be the same ones forever
   */
  constructor(
    readonly variables: readonly Variable[],
    readonly compute: (inputs: StepTensors<Name>, numbers: readonly Scalar[]) => Tensor[],
  ) {}

  /**
   * One run; its results are the caller's.
   * @param numbers what changes from run to run and is no array, such as a learning rate
   * @throws DragomanError `engine` if the second and third run on the same shapes did not do the same either
   */
  run(inputs: StepInputs<Name>, numbers: readonly number[] = []): Tensor[] {
    if (getBackend() !== 'tensorflow') return this.#eagerly(inputs, numbers);
    const arrays: readonly HostTensor[] = Object.values(inputs);
    const given = [...arrays, ...numbers.map((x) => ({ shape: [], values: Float32Array.of(x) }))];
    const key = given.map(({ shape, values }) => `${values.constructor.name}${shape}`).join(' ');
    const known = this.#graphs.get(key);
    if (known instanceof Graph) return known.run(given);
    if (known === undefined && this.#graphs.size === MOST_SHAPES) return this.#eagerly(inputs, numbers);
    const { program, results } = this.#recorded(inputs, numbers);
    const earlier = known ?? [];
    const difference = earlier.length === 0 ? null : differenceOf(earlier.at(-1)!, program);
    if (earlier.length === 0 || (earlier.length === 1 && difference !== null)) {
      this.#graphs.set(key, [...earlier, program]);
    } else if (difference === null) this.#graphs.set(key, new Graph(program, given, this.#resources()));
    else throw new DragomanError('engine', `expected a step that does the same each time, got ${difference}`);
    return results;
  }

  dispose(): void {
    for (const known of this.#graphs.values()) if (known instanceof Graph) known.dispose();
    this.#graphs.clear();
  }

  #resources(): ResourceVariable[] {
    return this.variables.filter((variable) => variable instanceof ResourceVariable);
  }

  #eagerly(inputs: StepInputs<Name>, numbers: readonly number[]): Tensor[] {
    return tidy(() => this.compute(tensorsOf(inputs), numbers.map(scalarOf)));
  }

  #recorded(inputs: StepInputs<Name>, numbers: readonly number[]): { program: Program; results: Tensor[] } {
    let program: Program | undefined;
    const results = tidy(() => {
      const tensors = tensorsOf(inputs);
      const scalars = numbers.map(scalarOf);
      const given = [...Object.values<Tensor>(tensors), ...scalars];
      const recorded = record(given, this.#resources(), () => this.compute(tensors, scalars));
      program = recorded.program;
      return recorded.results;
    });
    return { program: program!, results };
  }
}

function scalarOf(value: number): Scalar {
  return scalar(value);
}

function tensorsOf<Name extends string>(inputs: StepInputs<Name>): StepTensors<Name> {
  return Object.fromEntries(
    Object.entries<HostTensor>(inputs).map(([name, { shape, values }]) => [
      name,
      tensor(values, [...shape], values instanceof Float32Array ? 'float32' : 'int32'),
    ]),
  ) as Record<Name, Tensor>;
}
