import {
  engine,
  mean,
  reshape,
  type Scalar,
  sigmoid,
  squaredDifference,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  tensor3d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Cell, Weights } from '../cell/cell.js';
import { createCell } from '../cell/family.js';
import { DragomanError } from '../errors.js';
import { SequenceMask } from '../kernel/mask.js';
import { runSequence } from '../kernel/sequence.js';
import { dense, denseParameters } from '../model/dense.js';
import { ParameterStore, prefixed, scoped } from '../model/parameters.js';
import { Random } from '../random.js';
import { createOptimizer } from '../train/optimizer.js';
import { ADDITION_DEFAULTS, type AdditionOptions } from './addition-options.js';
import { type TrainingWatch, watchSteps } from './watch.js';

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
  readonly #cells: readonly Cell[];
  readonly #store: ParameterStore;
  readonly #random: Random;

  /** The initial weights, and later the training pairs, are drawn from the options' seed. */
  constructor(options: Partial<AdditionOptions> = {}) {
    this.options = { ...ADDITION_DEFAULTS, testBits: options.bits ?? ADDITION_DEFAULTS.bits, ...options };
    validate(this.options);
    const { layers, units, cell, seed } = this.options;
    this.#random = new Random(seed);
    this.#cells = Array.from({ length: layers }, (_, n) => createCell(cell, n === 0 ? 2 : units, units));
    this.#store = new ParameterStore(
      [
        ...this.#cells.flatMap((layer, n) => prefixed(`layer.${n}`, layer.parameters)),
        ...prefixed('readout', READOUT(this.#cells.at(-1)!.outputSize)),
      ],
      this.#random,
    );
  }

  /** Numbers to train. */
  get size(): number {
    return this.#store.size;
  }

  /** Trains on fresh random pairs each step: mean squared error of all bits, Adam, no clipping. */
  async train(watch: TrainingWatch = {}): Promise<void> {
    const { steps, batch, learningRate, bits } = this.options;
    const adam = { kind: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
    const optimizer = createOptimizer(adam, this.#store, 0);
    const limit = 2 ** (bits - 1);
    const numbers = (): Int32Array => Int32Array.from({ length: batch }, () => this.#random.integer(limit));
    const names = this.#store.specs.filter((spec) => spec.trainable).map((spec) => spec.name);
    try {
      await watchSteps(steps, watch, () =>
        tidy(() => {
          const [a, b] = [numbers(), numbers()];
          const weights = this.#store.weights();
          const { value, grads } = engine().gradients(
            () => {
              const said = this.#forward(weights, a, b, bits);
              const right = this.#bitsOf(
                a.map((x, k) => x + b[k]!),
                bits,
              );
              return mean(squaredDifference(said, right)) as Scalar;
            },
            names.map((name) => weights[name]!),
          );
          const gradients = Object.fromEntries(names.map((name, k) => [name, grads[k]!]));
          optimizer.apply(gradients, learningRate).dispose();
          return value as Scalar;
        }),
      );
    } finally {
      optimizer.dispose();
    }
  }

  /** The sums of pairs of numbers below 2^(bits-1). */
  add(a: Int32Array, b: Int32Array, bits = this.options.bits): Int32Array {
    return tidy(() => {
      const said = this.#forward(this.#store.weights(), a, b, bits).dataSync(); // [bits, batch]
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
    this.#store.dispose();
  }

  /** P(bit = 1) of the sum, in the order of reading, `[bits, batch]`. */
  #forward(weights: Weights, a: Int32Array, b: Int32Array, bits: number): Tensor2D {
    const batch = a.length;
    const values = new Float32Array(bits * batch * 2);
    for (let t = 0, k = 0; t < bits; t++) {
      const place = this.#place(t, bits);
      for (let row = 0; row < batch; row++) {
        values[k++] = (a[row]! >> place) & 1;
        values[k++] = (b[row]! >> place) & 1;
      }
    }
    const mask = new SequenceMask(new Int32Array(batch).fill(bits), bits);
    let x: Tensor3D = tensor3d(values, [bits, batch, 2]);
    for (const [n, cell] of this.#cells.entries()) {
      x = runSequence(
        cell,
        scoped(weights, `layer.${n}`, cell.parameters),
        x,
        cell.initial(batch),
        mask,
        'forward',
        'outputs',
      ).outputs;
    }
    const logits = dense(scoped(weights, 'readout', READOUT(x.shape[2])), x); // [bits, batch, 1]
    return sigmoid(reshape(logits, [bits, batch])) as Tensor2D;
  }

  /** Bits of numbers in the order of reading, `[bits, batch]`. */
  #bitsOf(numbers: Int32Array, bits: number): Tensor2D {
    const values = new Float32Array(bits * numbers.length);
    for (let t = 0, k = 0; t < bits; t++) {
      const place = this.#place(t, bits);
      for (const value of numbers) values[k++] = (value >> place) & 1;
    }
    return tensor2d(values, [bits, numbers.length]);
  }

  /** The place of the bit that is read at step t. */
  #place(t: number, bits: number): number {
    return this.options.mostSignificantFirst ? bits - 1 - t : t;
  }
}

const READOUT = (size: number) => denseParameters(size, 1, { bias: true });

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
