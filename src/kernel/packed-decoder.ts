import { packedGates } from './packed-gates.js';
import { PackedLinear, packed } from './packed-matrix.js';
import { areSame, type StepParts } from './step-parts.js';

/** A decoder's parameters as the compiled kernels take them: packed once, for its steps and for whole targets. */
export class PackedDecoder {
  /** `[vocabulary, embedding]` */
  readonly table: Float32Array;
  /** Of each layer. */
  readonly layers: readonly (readonly Float32Array[])[];
  /** What is made of the state for additive attention; null without. */
  readonly query: PackedLinear | null;
  /** v of additive attention, `[query]`; empty without. */
  readonly vector: Float32Array;
  readonly readout: PackedLinear;
  readonly output: PackedLinear;

  constructor(readonly parts: StepParts) {
    const { table, layers, attention, readout, output } = parts;
    this.table = table.dataSync<'float32'>() as Float32Array;
    this.layers = layers.map(packedGates);
    const additive = attention?.kind === 'additive' ? attention : null;
    this.query = additive && PackedLinear.of(additive.kernel, additive.bias);
    this.vector = (additive?.vector.dataSync<'float32'>() as Float32Array) ?? new Float32Array(0);
    this.readout = PackedLinear.of(readout.kernel, readout.bias);
    const [depth, columns] = [readout.bias.shape[0], output.bias.shape[0]];
    const matrix = output.matrix.dataSync<'float32'>();
    const panels = packed(
      matrix,
      output.transposed ? { depth, columns, stride: depth, transposed: true } : { depth, columns },
    );
    this.output = new PackedLinear(depth, columns, panels, output.bias.dataSync<'float32'>() as Float32Array);
  }

  /** Whether it is made of these parameters, as they are now. */
  isOf(parts: StepParts): boolean {
    return areSame(this.parts, parts);
  }
}
