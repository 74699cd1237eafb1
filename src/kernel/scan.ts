import { add, mul, reshape, stack, sub, type Tensor2D, type Tensor3D, unstack } from '@tensorflow/tfjs-core';
import type { State } from '../cell/cell.js';
import type { SequenceMask } from './mask.js';

/** One step of a recurrence: reads one input `[batch, size]`, gives an output and the next state. */
export type Step = (xt: Tensor2D, state: State) => { readonly output: Tensor2D; readonly state: State };

export interface Sequence {
  /** `[time, batch, size]`, zero at padded steps. */
  readonly outputs: Tensor3D;
  /** The state after each row's last real step. */
  readonly final: State;
}

/**
 * The time loop, the only one in the project: every other sequence kernel is a faster twin of it and is tested
 * against it. At a padded step a row keeps its state and puts out zeros.
 *
 * @param x inputs `[time, batch, size]`
 * @param initial the state before the first step
 */
export function scan(step: Step, x: Tensor3D, initial: State, mask: SequenceMask): Sequence {
  const outputs: Tensor2D[] = [];
  let state = initial;
  stepsOf(x).forEach((xt, t) => {
    const next = step(xt, state);
    const real = mask.column(t); // [batch, 1], or null where every row is real
    if (real === null) {
      state = next.state;
      outputs.push(next.output);
      return;
    }
    const padded = sub(1, real);
    const carried: Record<string, Tensor2D> = {};
    for (const [name, value] of Object.entries(next.state)) {
      carried[name] = add(mul(value, real), mul(state[name]!, padded)) as Tensor2D;
    }
    state = carried;
    outputs.push(mul(next.output, real) as Tensor2D);
  });
  return { outputs: stack(outputs) as Tensor3D, final: state };
}

/** The steps of x `[time, batch, size]`. (tfjs cannot take the gradient of unstacking a single one.) */
function stepsOf(x: Tensor3D): Tensor2D[] {
  const [time, batch, size] = x.shape;
  return time === 1 ? [reshape(x, [batch, size])] : (unstack(x) as Tensor2D[]);
}
