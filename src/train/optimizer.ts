import {
  add,
  addN,
  div,
  getBackend,
  mul,
  type Scalar,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import type { OptimizerSpec } from '../config.js';
import { liveValues } from '../engine/live-values.js';
import { type Handle, nativeOps } from '../engine/native.js';
import {
  createVariable,
  type PortableVariable,
  ResourceVariable,
  type Variable,
} from '../engine/variables.js';
import { DragomanError } from '../errors.js';
import type { ParameterStore, Weights } from '../model/parameters.js';

/** What a checkpoint keeps of an optimizer, by name. */
export type OptimizerState = Record<string, { shape: number[]; data: Float32Array }>;

export interface Optimizer {
  /**
   * Clips the gradients by their global norm and updates every trainable parameter in place.
   * @param gradients by parameter name; the caller keeps owning them
   * @returns the global norm before clipping; the caller disposes it
   */
  apply(gradients: Weights, learningRate: number): Scalar;
  /** A copy of the moments and the step count. */
  state(): OptimizerState;
  /** Takes up what {@link state} gave. */
  restore(state: OptimizerState): void;
  dispose(): void;
}

type Adam = Extract<OptimizerSpec, { kind: 'adam' }>;
type Sgd = Extract<OptimizerSpec, { kind: 'sgd' }>;

/** Updates one parameter; `moments` are that parameter's own variables, starting at zero. */
interface Rule {
  readonly moments: readonly string[];
  update(
    parameter: Variable,
    moments: readonly Variable[],
    gradient: Tensor,
    learningRate: number,
    step: number,
  ): void;
}

/**
 * Adam (Kingma & Ba 2015, end of section 2: the form with the bias corrections folded into the rate)
 *
 *     m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g²
 *     x = x - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)
 */
class AdamRule implements Rule {
  readonly moments = ['m', 'v'];
  constructor(readonly spec: Adam) {}

  update(
    parameter: Variable,
    [m, v]: readonly Variable[],
    gradient: Tensor,
    learningRate: number,
    step: number,
  ): void {
    const { beta1, beta2, epsilon } = this.spec;
    if (
      parameter instanceof ResourceVariable &&
      m instanceof ResourceVariable &&
      v instanceof ResourceVariable
    ) {
      const native = nativeOps();
      const handles = [parameter, m, v].map((variable) => variable.handleForUpdate());
      native.scope((): Handle[] => {
        const numbers = [beta1 ** step, beta2 ** step, learningRate, beta1, beta2, epsilon];
        const constants = numbers.map((x) => native.constant([], 'float32', [x]));
        native.run(
          'ResourceApplyAdam',
          native.attributes({
            T: { type: 'float32' },
            use_locking: { bool: false },
            use_nesterov: { bool: false },
          }),
          [...handles, ...constants, native.from(gradient)],
          0,
        );
        return [];
      });
      return;
    }
    const rate = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
    const live = [parameter, m!, v!].map((variable) => liveValues(variable.value()));
    if (live[0] !== null) {
      adamInPlace(this.spec, live as Float32Array[], liveValues(gradient)!, rate);
      return;
    }
    const [x, first, second] = [parameter, m, v] as PortableVariable[];
    first!.replace(() => add(mul(first!.value(), beta1), mul(gradient, 1 - beta1)));
    second!.replace(() => add(mul(second!.value(), beta2), mul(square(gradient), 1 - beta2)));
    x!.replace(() => sub(x!.value(), div(mul(first!.value(), rate), add(sqrt(second!.value()), epsilon))));
  }
}

/** The same as one loop over an engine's own memory. @param rate with the bias corrections */
function adamInPlace(
  { beta1, beta2, epsilon }: Adam,
  [x, m, v]: readonly Float32Array[],
  gradient: Float32Array,
  rate: number,
): void {
  for (let k = 0; k < gradient.length; k++) {
    const g = gradient[k]!;
    const first = beta1 * m![k]! + (1 - beta1) * g;
    const second = beta2 * v![k]! + (1 - beta2) * g * g;
    m![k] = first;
    v![k] = second;
    x![k]! -= (rate * first) / (Math.sqrt(second) + epsilon);
  }
}

/**
 * Gradient descent with momentum (Polyak 1964; the form of Sutskever et al. 2013, without Nesterov's look-ahead)
 *
 *     a = momentum a + g,   x = x - rate a
 */
class SgdRule implements Rule {
  readonly moments = ['momentum'];
  constructor(readonly spec: Sgd) {}

  update(parameter: Variable, [a]: readonly Variable[], gradient: Tensor, learningRate: number): void {
    const { momentum } = this.spec;
    if (parameter instanceof ResourceVariable && a instanceof ResourceVariable) {
      const native = nativeOps();
      const handles = [parameter.handleForUpdate(), a.handleForUpdate()];
      native.scope((): Handle[] => {
        const rate = native.constant([], 'float32', [learningRate]);
        const inertia = native.constant([], 'float32', [momentum]);
        native.run(
          'ResourceApplyMomentum',
          native.attributes({
            T: { type: 'float32' },
            use_locking: { bool: false },
            use_nesterov: { bool: false },
          }),
          [...handles, rate, native.from(gradient), inertia],
          0,
        );
        return [];
      });
      return;
    }
    const [x, accumulated] = [parameter, a] as PortableVariable[];
    accumulated!.replace(() => add(mul(accumulated!.value(), momentum), gradient));
    x!.replace(() => sub(x!.value(), mul(accumulated!.value(), learningRate)));
  }
}

/** sqrt of the sum of all squares: one pass over the gradients on the tensorflow engine. */
function globalNorm(gradients: readonly Tensor[]): Scalar {
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
    this.#step++;
    return tidy(() => {
      const own = this.#names.map((name) => {
        const gradient = gradients[name];
        if (gradient === undefined) throw new DragomanError('training', `no gradient for ${name}`);
        return gradient;
      });
      const norm = globalNorm(own);
      // Every engine computes an operation before it returns, so reading the norm waits for nothing; and where nothing
      // is clipped, which is most of the time, a pass over all gradients is saved.
      const length = norm.dataSync()[0]!;
      const factor = this.clip > 0 && length > this.clip ? this.clip / length : null;
      this.#names.forEach((name, k) => {
        const gradient = factor === null ? own[k]! : mul(own[k]!, factor);
        const moments = this.#moments.get(name)!;
        this.rule.update(this.store.variable(name), moments, gradient, learningRate, this.#step);
        if (factor !== null) gradient.dispose();
      });
      return norm;
    });
  }

  state(): OptimizerState {
    const state: OptimizerState = { 'optimizer.step': { shape: [1], data: Float32Array.of(this.#step) } };
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
    for (const [key, variable] of this.#entries()) {
      variable.assign(
        entry(
          key,
          variable.shape.reduce((a, b) => a * b, 1),
        ),
      );
    }
    this.#step = step;
  }

  dispose(): void {
    for (const [, variable] of this.#entries()) variable.dispose();
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
