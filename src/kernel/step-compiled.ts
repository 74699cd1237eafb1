import type { Handle } from '../engine/native.js';
import type { Packed, PackedWeights } from './packed-weights.js';
import type { Attended } from './step-attention.js';
import { StepFlow } from './step-flow.js';
import type { StepAttention } from './step-parts.js';

/** A decoder step from our own operations (src/kernel/compiled/step.h), each of which is a product with what follows it. */
export class CompiledStep extends StepFlow<Packed, Packed, PackedWeights> {
  protected override product(x: Handle, w: Packed): Handle {
    return this.#linear(x, w, this.weights.nothing);
  }

  protected override lstm(
    { panels, bias }: Packed,
    inputs: readonly Handle[],
    h: Handle,
    c: Handle,
  ): Handle[] {
    return this.ops.native.run('DragomanLstmStep', [], [this.ops.joined([...inputs, h]), c, panels, bias], 2);
  }

  protected override readout(x: Handle): Handle {
    return this.#linear(x, this.weights.readout, this.weights.tanh);
  }

  protected override attend(attention: StepAttention, s: Handle): Attended {
    if (attention.kind !== 'product') return super.attend(attention, s);
    const { native } = this.ops;
    const { keys, memory, bias } = this.source.attention!;
    const given = [keys, memory, bias].map((tensor) => native.from(tensor));
    const [context, weights] = native.run('DragomanAttendStep', [], [s, ...given], 2);
    return { context: context!, weights: weights! };
  }

  #linear(x: Handle, { panels, bias }: Packed, follows: Handle): Handle {
    return this.ops.native.one('DragomanLinearStep', [], [x, panels, bias, follows]);
  }
}
