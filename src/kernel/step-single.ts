import type { Handle } from '../engine/native.js';
import { StepFlow } from './step-flow.js';
import { FEW_ROWS } from './step-operations.js';
import type { Affine, LstmWeights } from './step-weights.js';

/** A decoder step from TensorFlow's single operations. Its readout has one unit more, which brings the output's bias. */
export class SingleOperationsStep extends StepFlow<LstmWeights, Affine> {
  protected override product(x: Handle, { matrix, bias }: Affine): Handle {
    const product = this.ops.product(x, matrix, this.rows);
    return bias === null ? product : this.ops.biasAdd(product, bias);
  }

  protected override lstm(layer: LstmWeights, inputs: readonly Handle[], h: Handle, c: Handle): Handle[] {
    const { ops } = this;
    if (this.rows <= FEW_ROWS) {
      const [, cs, , , , , hs] = ops.lstmCell(ops.joined(inputs), c, h, layer);
      return [hs!, cs!];
    }
    const { hidden, spread, ordered, bias } = layer;
    const z = this.product(ops.joined([...inputs, h]), { matrix: ordered, bias });
    const [gates, g] = ops.split(z, spread > 0 ? [3 * hidden, hidden, spread] : [3 * hidden, hidden]);
    const [i, f, o] = ops.thirds(ops.sigmoid(gates!));
    const cNew = ops.add(ops.mul(i!, ops.tanh(g!)), ops.mul(f!, c));
    return [ops.mul(o!, ops.tanh(cNew)), cNew];
  }

  /** `[rows, output + 1]` */
  protected override readout(x: Handle): Handle {
    return this.ops.tanh(this.product(x, this.weights.readout));
  }

  protected override fed(o: Handle): Handle {
    return this.ops.columns(o, this.parts.readout.bias.shape[0]);
  }
}
