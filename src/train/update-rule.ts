import { add, div, mul, type Scalar, sqrt, square, sub, type Tensor } from '@tensorflow/tfjs-core';
import type { OptimizerSpec } from '../config.js';
import { hasCompiledKernels } from '../engine/compiled-kernels.js';
import { type Attributes, type Handle, nativeOps } from '../engine/native.js';
import { ownOperations } from '../engine/own-operations.js';
import { isRecording } from '../engine/recording.js';
import { type PortableVariable, ResourceVariable, type Variable } from '../engine/variables.js';

type Adam = Extract<OptimizerSpec, { kind: 'adam' }>;
type Sgd = Extract<OptimizerSpec, { kind: 'sgd' }>;

/** What a step needs besides the gradients. */
export interface StepSettings {
  /** For {@link Rule.update}. */
  readonly settings: readonly number[];
  /** By this the gradients have to be multiplied first; 1 where the settings see to it. */
  readonly factor: number;
}

/** How an optimizer updates a parameter. */
export interface Rule {
  /** Names of the moments, each a variable of the parameter's shape that starts at zero. */
  readonly moments: readonly string[];
  /** By what the moments have to be multiplied to be those of the formula; as many as there are moments. */
  scales: readonly number[];
  /**
   * Begins a step.
   * @param step number of the step, from 1
   * @param factor by which all gradients are to be scaled
   */
  begin(learningRate: number, step: number, factor: number): StepSettings;
  /** Updates one parameter and its own moments by operations alone. */
  update(
    parameter: Variable,
    moments: readonly Variable[],
    gradient: Tensor,
    settings: readonly Scalar[],
  ): void;
}

const UPDATE: Attributes = {
  T: { type: 'float32' },
  use_locking: { bool: false },
  use_nesterov: { bool: false },
};

/** The least share of its usual size that a new squared gradient enters with; below, 32-bit floats lose its digits. */
const LEAST_SHARE = 0.1;

/**
 * Adam (Kingma & Ba 2015, end of section 2: the form with the bias corrections folded into the rate)
 *
 *     m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g²
 *     x = x - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)
 *
 * A scaled gradient s g, as clipping makes it, costs no pass over memory: with m = c M and v = d V the same follows from
 * the unscaled one,
 *
 *     c' = b1 c + (1 - b1) s,       M' = (b1 c / c') M + (1 - b1 c / c') g
 *     d' = b2 d + (1 - b2) s²,      V' = (b2 d / d') V + (1 - b2 d / d') g²
 *     x = x - rate c' / sqrt(d') M' / (sqrt(V') + epsilon / sqrt(d'))
 */
export class AdamRule implements Rule {
  readonly moments = ['m', 'v'];
  scales: readonly number[] = [1, 1];

  constructor(readonly spec: Adam) {}

  begin(learningRate: number, step: number, factor: number): StepSettings {
    const { beta1, beta2, epsilon } = this.spec;
    // The first moments are zero, in whatever scale. (A norm without bound makes the factor 0.)
    const [c, d] = step === 1 && factor > 0 ? [factor, factor * factor] : (this.scales as [number, number]);
    const folded = Math.max(factor, Math.sqrt(LEAST_SHARE * d));
    // As a checkpoint keeps them.
    const first = Math.fround(beta1 * c + (1 - beta1) * folded);
    const second = Math.fround(beta2 * d + (1 - beta2) * folded * folded);
    this.scales = [first, second];
    const rate = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
    const settings = [
      (rate * first) / Math.sqrt(second),
      (beta1 * c) / first,
      (beta2 * d) / second,
      epsilon / Math.sqrt(second),
    ];
    return { settings, factor: factor / folded };
  }

  update(
    parameter: Variable,
    [m, v]: readonly Variable[],
    gradient: Tensor,
    settings: readonly Scalar[],
  ): void {
    const [rate, beta1, beta2, epsilon] = settings as [Scalar, Scalar, Scalar, Scalar];
    if (
      parameter instanceof ResourceVariable &&
      m instanceof ResourceVariable &&
      v instanceof ResourceVariable
    ) {
      const native = nativeOps();
      const handles = [parameter, m, v].map((variable) => variable.handleForUpdate());
      if (hasCompiledKernels() && !isRecording()) {
        updateCompiled([parameter, m, v], gradient, settings);
        return;
      }
      native.scope((): Handle[] => {
        // The rate is corrected already: powers of zero leave it alone.
        const none = native.constant([], 'float32', [0]);
        const scalars = [rate, beta1, beta2, epsilon].map((x) => native.from(x));
        const inputs = [...handles, none, none, ...scalars, native.from(gradient)];
        native.run('ResourceApplyAdam', native.attributes(UPDATE), inputs, 0);
        return [];
      });
      return;
    }
    const [x, first, second] = [parameter, m, v] as PortableVariable[];
    const operations = ownOperations();
    if (operations !== null) {
      const operands = [x!.value(), first!.value(), second!.value(), gradient, ...settings];
      x!.replace(() => operations.run('DragomanAdam', operands, 1, { changed: [1, 2] })[0]!);
      return;
    }
    first!.replace(() => add(mul(first!.value(), beta1), mul(gradient, sub(1, beta1))));
    second!.replace(() => add(mul(second!.value(), beta2), mul(square(gradient), sub(1, beta2))));
    x!.replace(() => sub(x!.value(), div(mul(first!.value(), rate), add(sqrt(second!.value()), epsilon))));
  }
}

/**
 * The same by our own operation (src/kernel/compiled/training.h), which passes over the memory once where
 * ResourceApplyAdam does three times. Its result becomes the parameter's value, which others may have read; the moments,
 * which are the optimizer's alone, are changed in their place. A graph could not tell either, so a recording has
 * TensorFlow's operation.
 * @param variables none of which lives in a graph
 */
function updateCompiled(
  variables: readonly [parameter: ResourceVariable, ...moments: ResourceVariable[]],
  gradient: Tensor,
  settings: readonly Scalar[],
): void {
  const native = nativeOps();
  const values = variables.map((variable) => variable.value()); // theirs, so read outside the scope
  native.scope((): Handle[] => {
    const inputs = [...values, gradient, ...settings].map((x) => native.from(x));
    const [parameter, ...moments] = variables;
    parameter.take(native.one('DragomanAdam', [], inputs));
    for (const moment of moments) moment.forget();
    return [];
  });
}

/**
 * Gradient descent with momentum (Polyak 1964; the form of Sutskever et al. 2013, without Nesterov's look-ahead)
 *
 *     a = momentum a + g,   x = x - rate a
 */
export class SgdRule implements Rule {
  readonly moments = ['momentum'];
  scales: readonly number[] = [1];

  constructor(readonly spec: Sgd) {}

  begin(learningRate: number, _step: number, factor: number): StepSettings {
    return { settings: [learningRate, this.spec.momentum], factor };
  }

  update(parameter: Variable, [a]: readonly Variable[], gradient: Tensor, settings: readonly Scalar[]): void {
    const [rate, momentum] = settings as [Scalar, Scalar];
    if (parameter instanceof ResourceVariable && a instanceof ResourceVariable) {
      const native = nativeOps();
      const handles = [parameter.handleForUpdate(), a.handleForUpdate()];
      const [step, inertia] = [native.from(rate), native.from(momentum)];
      native.scope((): Handle[] => {
        const inputs = [...handles, step, native.from(gradient), inertia];
        native.run('ResourceApplyMomentum', native.attributes(UPDATE), inputs, 0);
        return [];
      });
      return;
    }
    const [x, accumulated] = [parameter, a] as PortableVariable[];
    accumulated!.replace(() => add(mul(accumulated!.value(), momentum), gradient));
    x!.replace(() => sub(x!.value(), mul(accumulated!.value(), rate)));
  }
}
