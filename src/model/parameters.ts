import type { Initializer, ParameterSpec, Weights } from '../cell/cell.js';
import { createVariable, type Variable } from '../engine/variables.js';
import { DragomanError } from '../errors.js';
import type { Random } from '../random.js';

export type { Initializer, ParameterSpec, Weights } from '../cell/cell.js';

/** The weights of one part of a model under their local names: `encoder.0.forward.kernel` → `kernel`. */
export function scoped(w: Weights, prefix: string, specs: readonly ParameterSpec[]): Weights {
  return Object.fromEntries(specs.map(({ name }) => [name, w[`${prefix}.${name}`]!]));
}

/** Specs under a prefix. */
export function prefixed(prefix: string, specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.map((spec) => ({ ...spec, name: `${prefix}.${spec.name}` }));
}

function initialValues(initializer: Initializer, shape: readonly number[], random: Random): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  switch (initializer.kind) {
    case 'zeros':
      return values;
    case 'constant':
      return values.fill(initializer.value);
    case 'uniform':
      return values.map(() => (2 * random.next() - 1) * initializer.limit);
    case 'normal':
      return values.map(() => random.normal() * initializer.deviation);
    case 'drawn':
      return initializer.draw(shape, random);
    case 'band': {
      const width = shape.at(-1)!;
      return values.map((_, k) =>
        k % width >= initializer.from && k % width < initializer.to ? initializer.value : 0,
      );
    }
  }
}

/**
 * The values that parameters begin with where they are not drawn: an array for each spec, of its size, which the
 * store copies. A trained model has no use for draws, which for millions of numbers take longer than reading them.
 */
export type GivenValues = (specs: readonly ParameterSpec[]) => readonly Float32Array[];

/** All parameters of a model, by name, in a fixed order. */
export class ParameterStore {
  readonly #variables: ReadonlyMap<string, Variable>;

  /** @param start draws the initial values in the order of the specs, or gives them */
  constructor(
    readonly specs: readonly ParameterSpec[],
    start: Random | GivenValues,
  ) {
    const given = typeof start === 'function' ? start(specs) : null;
    this.#variables = new Map(
      specs.map(({ name, shape, initializer }, i) => {
        const values = given?.[i] ?? initialValues(initializer, shape, start as Random);
        return [name, createVariable(shape, values)];
      }),
    );
  }

  /** Number of numbers. */
  get size(): number {
    return this.specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  }

  /** Current values. They belong to the store and are valid until the next change. */
  weights(): Weights {
    return Object.fromEntries([...this.#variables].map(([name, variable]) => [name, variable.value()]));
  }

  /** All variables, in the order of the specs. */
  variables(): Variable[] {
    return [...this.#variables.values()];
  }

  /** The variable itself, for an optimizer to update. */
  variable(name: string): Variable {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new DragomanError('model', `no parameter named ${name}`);
    return variable;
  }

  /** A copy of one parameter's values. */
  read(name: string): Float32Array {
    return Float32Array.from(this.variable(name).value().dataSync());
  }

  /** Replaces one parameter's values. */
  write(name: string, values: Float32Array): void {
    const variable = this.variable(name);
    const size = variable.shape.reduce((a, b) => a * b, 1);
    if (values.length !== size) {
      throw new DragomanError('model', `${name}: expected ${size} numbers, got ${values.length}`);
    }
    variable.assign(values);
  }

  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
  }
}
