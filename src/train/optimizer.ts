import {
  addN,
  div,
  getBackend,
  maximum,
  mul,
  type Scalar,
  scalar,
  sqrt,
  square,
  sum,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import type { OptimizerSpec } from '../config.js';
import { nativeOps } from '../engine/native.js';
import { ownOperations } from '../engine/own-operations.js';
import { createVariable, type Variable } from '../engine/variables.js';
import { DragomanError } from '../errors.js';
import type { ParameterStore, Weights } from '../model/parameters.js';
import { AdamRule, type Rule, SgdRule } from './update-rule.js';

/** What a checkpoint keeps of an optimizer, by name. */
export type OptimizerState = Record<string, { shape: number[]; data: Float32Array }>;

export interface Optimizer {
  /**
   * Clips the gradients by their global norm and updates every trainable parameter in place.
   * @param gradients by parameter name; the caller keeps owning them
   * @returns the global norm before clipping; the caller disposes it
   */
  apply(gradients: Weights, learningRate: number): Scalar;
  /** Counts a step that {@link update} will take, and gives the numbers that it needs. */
  begin(learningRate: number): readonly number[];
  /**
   * What {@link apply} does, by operations alone and without reading a value back, as a `RepeatedStep` needs it.
   * @param settings what {@link begin} gave
   */
  update(gradients: Weights, settings: readonly Scalar[]): Scalar;
  /** The moments. */
  variables(): readonly Variable[];
  /** A copy of the moments and the step count. */
  state(): OptimizerState;
  /** Takes up what {@link state} gave. */
  restore(state: OptimizerState): void;
  dispose(): void;
}

/** sqrt of the sum of all squares: one pass over the gradients on the tensorflow engine. */
function globalNorm(gradients: readonly Tensor[]): Scalar {
  const operations = ownOperations();
  if (operations !== null) {
    const squares = gradients.map((g) => operations.run('DragomanSumOfSquares', [g], 1)[0] as Scalar);
    return sqrt(addN(squares)) as Scalar;
  }
  if (getBackend() !== 'tensorflow') {
    return sqrt(addN(gradients.map((g) => sum(square(g)) as Scalar))) as Scalar;
  }
  const native = nativeOps();
  const attributes = native.attributes({ T: { type: 'float32' } });
  const halves = gradients.map((g) =>
    native.toTensor<Scalar>(native.one('L2Loss', attributes, [native.from(g)])),
  );
  return sqrt(mul(addN(halves), 2)) as Scalar;
}

/** Under this name a checkpoint keeps by what the moments have to be multiplied: {@link Rule.scales}. */
const SCALES = 'optimizer.scales';

class RuleOptimizer implements Optimizer {
  readonly #names: readonly string[];
  readonly #moments: ReadonlyMap<string, readonly Variable[]>;
  #step = 0;

  constructor(
    readonly rule: Rule,
    readonly store: ParameterStore,
    readonly clip: number,
  ) {
    const trainable = store.specs.filter((spec) => spec.trainable);
    this.#names = trainable.map((spec) => spec.name);
    this.#moments = new Map(
      trainable.map(({ name, shape }) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [name, rule.moments.map(() => createVariable(shape, new Float32Array(size)))];
      }),
    );
  }

  apply(gradients: Weights, learningRate: number): Scalar {
    return tidy(() => {
      const own = this.#ordered(gradients);
      const norm = globalNorm(own);
      // Every engine computes an operation before it returns, so reading the norm waits for nothing.
      const length = norm.dataSync()[0]!;
      const clipping = this.clip > 0 && length > this.clip ? this.clip / length : 1;
      const { settings, factor } = this.rule.begin(learningRate, ++this.#step, clipping);
      const scalars = settings.map((x) => scalar(x));
      this.#update(own, factor === 1 ? null : scalar(factor), scalars);
      return norm;
    });
  }

  begin(learningRate: number): readonly number[] {
    return this.rule.begin(learningRate, ++this.#step, 1).settings;
  }

  update(gradients: Weights, settings: readonly Scalar[]): Scalar {
    return tidy(() => {
      const own = this.#ordered(gradients);
      const norm = globalNorm(own);
      const factor = this.clip > 0 ? (div(this.clip, maximum(norm, this.clip)) as Scalar) : null;
      this.#update(own, factor, settings);
      return norm;
    });
  }

  variables(): readonly Variable[] {
    return [...this.#moments.values()].flat();
  }

  state(): OptimizerState {
    const { scales } = this.rule;
    const state: OptimizerState = {
      'optimizer.step': { shape: [1], data: Float32Array.of(this.#step) },
      [SCALES]: { shape: [scales.length], data: Float32Array.from(scales) },
    };
    for (const [key, variable] of this.#entries()) {
      state[key] = { shape: [...variable.shape], data: Float32Array.from(variable.value().dataSync()) };
    }
    return state;
  }

  restore(state: OptimizerState): void {
    const entry = (key: string, size: number): Float32Array => {
      const data = state[key]?.data;
      if (data?.length !== size) {
        throw new DragomanError(
          'input',
          `checkpoint: expected ${size} numbers for ${key}, got ${data?.length ?? 'none'}`,
        );
      }
      return data;
    };
    const step = entry('optimizer.step', 1)[0]!;
    const count = this.rule.moments.length;
    // Checkpoints from before there were any hold the moments as they are.
    const scales = state[SCALES] === undefined ? new Array<number>(count).fill(1) : [...entry(SCALES, count)];
    for (const [key, variable] of this.#entries()) {
      variable.assign(
        entry(
          key,
          variable.shape.reduce((a, b) => a * b, 1),
        ),
      );
    }
    this.#step = step;
    this.rule.scales = scales;
  }

  dispose(): void {
    for (const [, variable] of this.#entries()) variable.dispose();
  }

  #ordered(gradients: Weights): Tensor[] {
    return this.#names.map((name) => {
      const gradient = gradients[name];
      if (gradient === undefined) throw new DragomanError('training', `no gradient for ${name}`);
      return gradient;
    });
  }

  /** @param factor scales the gradients; null is 1 */
  #update(gradients: readonly Tensor[], factor: Scalar | null, settings: readonly Scalar[]): void {
    this.#names.forEach((name, k) => {
      const gradient = factor === null ? gradients[k]! : mul(gradients[k]!, factor);
      this.rule.update(this.store.variable(name), this.#moments.get(name)!, gradient, settings);
      if (factor !== null) gradient.dispose();
    });
  }

  *#entries(): Generator<[key: string, variable: Variable]> {
    for (const [name, moments] of this.#moments) {
      for (const [k, variable] of moments.entries())
        yield [`optimizer.${this.rule.moments[k]}.${name}`, variable];
    }
  }
}

/**
 * The optimizer of a configuration.
 * @param clip largest global norm of the gradients (Pascanu et al. 2013, algorithm 1); 0 is off
 */
export function createOptimizer(spec: OptimizerSpec, store: ParameterStore, clip: number): Optimizer {
  const rule = spec.kind === 'adam' ? new AdamRule(spec) : new SgdRule(spec);
  return new RuleOptimizer(rule, store, clip);
}
