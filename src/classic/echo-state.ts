import { drawReservoir } from '../cell/reservoir.js';
import { DragomanError } from '../errors.js';
import type { Random } from '../random.js';
import { ridge } from './ridge.js';

export interface EchoStateOptions {
  readonly units: number;
  /** Numbers read at a step. */
  readonly inputs: number;
  /** Numbers put out at a step. */
  readonly outputs: number;
  /** Largest modulus of an eigenvalue of the reservoir. */
  readonly spectralRadius: number;
  /** Share of absent connections. */
  readonly sparsity: number;
  /** Share of a unit that is new at each step; 1 is no leak. */
  readonly leak: number;
  /** Input weights are uniform between ± this. */
  readonly inputScaling: number;
  /** Biases are uniform between ± this. */
  readonly biasScaling: number;
  readonly activation: 'tanh' | 'linear';
  /** Whether the readout sees, beside the units, the input and a constant. */
  readonly readsInput: boolean;
}

export interface EchoStateTraining {
  /** First steps that the readout does not learn from: the start has to fade. */
  readonly washout: number;
  readonly regularization: number;
  /** Uniform noise between ± this on every unit during training, against a readout that blows small errors up. */
  readonly noise: number;
  /** Draws the noise. */
  readonly random: Random;
}

/**
 * Echo state network that stands on its own (Jaeger 2001; Jaeger & Haas 2004), in double precision:
 *
 *     h_t = (1 - leak) h_{t-1} + leak f(W x_t + U h_{t-1} + b),   y_t = V [h_t ; x_t ; 1]
 *
 * W, U and b are random and fixed; V is computed by ridge regression in closed form. Where the outputs are the next
 * inputs, it can go on by itself: what Jaeger & Haas call output feedback is here an input like any other.
 */
export class EchoStateNetwork {
  readonly #options: EchoStateOptions;
  /** Incoming connections of each unit, one after the other. */
  readonly #first: Int32Array;
  readonly #sources: Int32Array;
  readonly #strengths: Float64Array;
  /** `[units, inputs]` */
  readonly #input: Float64Array;
  readonly #bias: Float64Array;
  #state: Float64Array;
  /** V, `[features, outputs]`; null before training. */
  #readout: Float64Array | null = null;

  /** @param random draws W, U and b; needs a running engine, which finds the spectral radius */
  constructor(options: EchoStateOptions, random: Random) {
    const { units, inputs, spectralRadius, sparsity, inputScaling, biasScaling } = options;
    this.#options = options;
    const uniform = (length: number, scale: number): Float64Array =>
      Float64Array.from({ length }, () => (2 * random.next() - 1) * scale);
    const matrix = drawReservoir(spectralRadius, sparsity)([units, units], random); // [from, to]
    const sources: number[] = [];
    const strengths: number[] = [];
    this.#first = new Int32Array(units + 1);
    for (let unit = 0; unit < units; unit++) {
      for (let source = 0; source < units; source++) {
        const strength = matrix[source * units + unit]!;
        if (strength === 0) continue;
        sources.push(source);
        strengths.push(strength);
      }
      this.#first[unit + 1] = sources.length;
    }
    this.#sources = Int32Array.from(sources);
    this.#strengths = Float64Array.from(strengths);
    this.#input = uniform(units * inputs, inputScaling);
    this.#bias = uniform(units, biasScaling);
    this.#state = new Float64Array(units);
  }

  /** Numbers that the readout learns. */
  get parameters(): number {
    return this.#width * this.#options.outputs;
  }

  /** The state as it is; {@link restore} goes back to it. */
  snapshot(): Float64Array {
    return Float64Array.from(this.#state);
  }

  restore(state: Float64Array): void {
    this.#state = Float64Array.from(state);
  }

  /**
   * Computes the readout, from the present state on.
   * @param inputs `[steps, inputs]`
   * @param targets `[steps, outputs]`
   */
  train(inputs: Float64Array, targets: Float64Array, training: EchoStateTraining): void {
    const { washout, regularization, noise, random } = training;
    const { inputs: size, outputs } = this.#options;
    const steps = inputs.length / size;
    const rows = steps - washout;
    if (rows < 1)
      throw new DragomanError('usage', `expected more than ${washout} steps (washout), got ${steps}`);
    const width = this.#width;
    const features = new Float64Array(rows * width);
    for (let t = 0; t < steps; t++) {
      const x = inputs.subarray(t * size, (t + 1) * size);
      this.#advance(x, () => (noise === 0 ? 0 : (2 * random.next() - 1) * noise));
      if (t >= washout)
        this.#features(x, features.subarray((t - washout) * width, (t - washout + 1) * width));
    }
    this.#readout = ridge(
      { rows, features, width, targets: targets.subarray(washout * outputs), outputs },
      regularization,
    );
  }

  /**
   * One step.
   * @param x `[inputs]`
   * @returns `[outputs]`
   */
  step(x: Float64Array): Float64Array {
    if (this.#readout === null)
      throw new DragomanError('usage', 'expected an echo state network after training');
    this.#advance(x, () => 0);
    const features = new Float64Array(this.#width);
    this.#features(x, features);
    const { outputs } = this.#options;
    const y = new Float64Array(outputs);
    features.forEach((feature, i) => {
      for (let c = 0; c < outputs; c++) y[c] = y[c]! + feature * this.#readout![i * outputs + c]!;
    });
    return y;
  }

  get #width(): number {
    const { units, inputs, readsInput } = this.#options;
    return readsInput ? units + inputs + 1 : units;
  }

  #features(x: Float64Array, into: Float64Array): void {
    into.set(this.#state);
    if (!this.#options.readsInput) return;
    into.set(x, this.#options.units);
    into[into.length - 1] = 1;
  }

  #advance(x: Float64Array, noise: () => number): void {
    const { units, inputs, leak, activation } = this.#options;
    const next = new Float64Array(units);
    for (let unit = 0; unit < units; unit++) {
      let sum = this.#bias[unit]!;
      for (let c = 0; c < inputs; c++) sum += this.#input[unit * inputs + c]! * x[c]!;
      for (let k = this.#first[unit]!; k < this.#first[unit + 1]!; k++) {
        sum += this.#strengths[k]! * this.#state[this.#sources[k]!]!;
      }
      const fresh = activation === 'tanh' ? Math.tanh(sum) : sum;
      next[unit] = (1 - leak) * this.#state[unit]! + leak * fresh + noise();
    }
    this.#state = next;
  }
}
