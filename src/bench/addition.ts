import {
  mean,
  reshape,
  type Scalar,
  sigmoid,
  squaredDifference,
  type Tensor2D,
  type Tensor3D,
  tensor3d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { HostTensor } from '../engine/graph.js';
import { DragomanError } from '../errors.js';
import { Random } from '../random.js';
import { ADDITION_DEFAULTS, type AdditionOptions } from './addition-options.js';
import { RecurrentNetwork } from './network.js';
import type { TrainingWatch } from './watch.js';

/** Up to this length every pair of numbers is tested, (2^(bits-1))² of them; above it, a sample. */
const EXHAUSTIVE_BITS = 8;
const SAMPLED_PAIRS = 16_384;
/** Rows in one forward pass of the test. */
const TEST_BATCH = 2048;
/** Numbers stay exact in the arithmetic of JavaScript's bit operators. */
const MOST_BITS = 30;

/** One sum as the network sees it and what it says. */
export interface Sum {
  readonly a: number;
  readonly b: number;
  readonly predicted: number;
}

/** How a trained network does on pairs of numbers. */
export interface AdditionTest {
  readonly bits: number;
  readonly pairs: number;
  /** Sums with every bit right. */
  readonly exact: number;
  /** Share of right bits. */
  readonly bitAccuracy: number;
}

function validate(options: AdditionOptions): void {
  const whole: (keyof AdditionOptions)[] = ['bits', 'layers', 'units', 'steps', 'batch', 'testBits'];
  for (const name of whole) {
    const value = options[name] as number;
    const least = name === 'bits' || name === 'testBits' ? 2 : 1;
    if (!Number.isInteger(value) || value < least) {
      throw new DragomanError(
        'usage',
        `addition: expected ${name} to be a whole number of ${least} or more, got ${value}`,
      );
    }
  }
  for (const name of ['bits', 'testBits'] as const) {
    if (options[name] > MOST_BITS) {
      throw new DragomanError(
        'usage',
        `addition: expected ${name} to be at most ${MOST_BITS}, got ${options[name]}`,
      );
    }
  }
}

/** Recurrent network that adds two binary numbers, two bits in and one bit out a step. */
export class AdditionNetwork {
  readonly options: AdditionOptions;
  readonly #network: RecurrentNetwork;
  readonly #random: Random;

  /** The initial weights, and later the training pairs, are drawn from the options' seed. */
  constructor(options: Partial<AdditionOptions> = {}) {
    this.options = { ...ADDITION_DEFAULTS, testBits: options.bits ?? ADDITION_DEFAULTS.bits, ...options };
    validate(this.options);
    const { layers, units, cell, seed } = this.options;
    this.#random = new Random(seed);
    this.#network = new RecurrentNetwork({ cell, layers, units, inputs: 2, outputs: 1 }, this.#random);
  }

  /** Numbers in the weights. */
  get size(): number {
    return this.#network.size;
  }

  /**
   * Trains on fresh random pairs each step: mean squared error of all bits, Adam, no clipping.
   * @returns milliseconds a step
   */
  train(watch: TrainingWatch = {}): Promise<number> {
    const { steps, batch, learningRate, bits } = this.options;
    const limit = 2 ** (bits - 1);
    const numbers = (): Int32Array => Int32Array.from({ length: batch }, () => this.#random.integer(limit));
    return this.#network.train(
      { steps, learningRate, clip: 0, watch },
      {
        batch: () => {
          const [a, b] = [numbers(), numbers()];
          const sums = a.map((x, k) => x + b[k]!);
          return { x: this.#inputs(a, b, bits), right: this.#bitsOf(sums, bits) };
        },
        loss: (forward, { x, right }) =>
          mean(squaredDifference(probabilities(forward(x as Tensor3D)), right)) as Scalar,
      },
    );
  }

  /** The sums of pairs of numbers below 2^(bits-1). */
  add(a: Int32Array, b: Int32Array, bits = this.options.bits): Int32Array {
    return tidy(() => {
      const { values, shape } = this.#inputs(a, b, bits);
      const said = probabilities(this.#network.outputs(tensor3d(values, shape))).dataSync(); // [bits, batch]
      return a.map((_, row) => {
        let value = 0;
        for (let t = 0; t < bits; t++) {
          if (said[t * a.length + row]! > 0.5) value += 2 ** this.#place(t, bits);
        }
        return value;
      });
    });
  }

  /** Adds every pair of numbers, or where there are too many, a sample of {@link SAMPLED_PAIRS}. */
  test(bits = this.options.testBits): AdditionTest {
    const limit = 2 ** (bits - 1);
    const random = new Random(this.options.seed).fork(bits);
    const pairs = bits <= EXHAUSTIVE_BITS ? limit * limit : SAMPLED_PAIRS;
    const pair = (k: number): readonly [number, number] =>
      bits <= EXHAUSTIVE_BITS
        ? [Math.floor(k / limit), k % limit]
        : [random.integer(limit), random.integer(limit)];
    let exact = 0;
    let right = 0;
    for (let start = 0; start < pairs; start += TEST_BATCH) {
      const part = Array.from({ length: Math.min(TEST_BATCH, pairs - start) }, (_, k) => pair(start + k));
      const a = Int32Array.from(part, ([x]) => x);
      const b = Int32Array.from(part, ([, y]) => y);
      this.add(a, b, bits).forEach((value, k) => {
        const wrong = value ^ (a[k]! + b[k]!);
        if (wrong === 0) exact++;
        right += bits - ones(wrong);
      });
    }
    return { bits, pairs, exact, bitAccuracy: right / (pairs * bits) };
  }

  /** Random sums, as examples. */
  examples(count: number): Sum[] {
    const limit = 2 ** (this.options.bits - 1);
    const a = Int32Array.from({ length: count }, () => this.#random.integer(limit));
    const b = Int32Array.from({ length: count }, () => this.#random.integer(limit));
    return Array.from(this.add(a, b), (predicted, k) => ({ a: a[k]!, b: b[k]!, predicted }));
  }

  dispose(): void {
    this.#network.dispose();
  }

  /** Bits of both numbers in the order of reading, `[bits, batch, 2]`. */
  #inputs(
    a: Int32Array,
    b: Int32Array,
    bits: number,
  ): { values: Float32Array; shape: [number, number, number] } {
    const values = new Float32Array(bits * a.length * 2);
    for (let t = 0, k = 0; t < bits; t++) {
      const place = this.#place(t, bits);
      for (let row = 0; row < a.length; row++) {
        values[k++] = (a[row]! >> place) & 1;
        values[k++] = (b[row]! >> place) & 1;
      }
    }
    return { values, shape: [bits, a.length, 2] };
  }

  /** Bits of numbers in the order of reading, `[bits, batch]`. */
  #bitsOf(numbers: Int32Array, bits: number): HostTensor {
    const values = new Float32Array(bits * numbers.length);
    for (let t = 0, k = 0; t < bits; t++) {
      const place = this.#place(t, bits);
      for (const value of numbers) values[k++] = (value >> place) & 1;
    }
    return { values, shape: [bits, numbers.length] };
  }

  /** The place of the bit that is read at step t. */
  #place(t: number, bits: number): number {
    return this.options.mostSignificantFirst ? bits - 1 - t : t;
  }
}

/** P(bit = 1), `[bits, batch]`, from the readout `[bits, batch, 1]`. */
function probabilities(logits: Tensor3D): Tensor2D {
  const [bits, batch] = logits.shape;
  return sigmoid(reshape(logits, [bits, batch])) as Tensor2D;
}

function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** A number in the article's form, as one writes it, most significant bit first: `[0 1 0 1 0 0 1 0]:82`. */
export function showNumber(value: number, bits: number): string {
  const digits = Array.from({ length: bits }, (_, k) => (value >> (bits - 1 - k)) & 1);
  return `[${digits.join(' ')}]:${value}`;
}
