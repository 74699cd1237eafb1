import { mul, type Scalar, sum, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { configSchema } from '../config/translation.js';
import type { ConfigInput } from '../config.js';
import type { HostTensor } from '../engine/graph.js';
import type { StepInputs } from '../engine/repeated-step.js';
import { TensorMask } from '../kernel/tensor-mask.js';
import { reversed, shifted, timeMajorIds } from '../model/layout.js';
import { type Reading, Seq2Seq } from '../model/seq2seq.js';
import type { Random } from '../random.js';
import { greedySearch } from '../search/greedy.js';
import { resolveSearchOptions } from '../search/options.js';
import { padIds } from '../text/batch.js';
import { SPECIALS } from '../text/vocabulary.js';
import { minimise, type Training } from './minimise.js';

/** A source and a target as symbol numbers from 0. */
export interface SymbolPair {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

export interface TransducerShape {
  /** Symbols of the source and of the target. */
  readonly symbols: { readonly source: number; readonly target: number };
  readonly model: Pick<
    NonNullable<ConfigInput['model']>,
    'cell' | 'embedding' | 'attention' | 'reverseSource'
  > & {
    readonly encoder: number;
    readonly decoder: number;
    readonly bidirectional: boolean;
  };
}

/** A batch as a step gets it: all time-major; `shares` is 1 / tokens where a target token is real, else 0. */
type BatchPart = 'source' | 'sourceLengths' | 'previous' | 'targetLengths' | 'labels' | 'shares';

/** Lengths are rounded up to a multiple of this: a training step is fastest where few shapes occur. */
const ROUNDING = 4;

/** Rows in one batch of the search. */
const TEST_BATCH = 512;

/** The encoder-decoder on generated pairs of symbol sequences, without dropout. */
export class Transducer {
  readonly #model: Seq2Seq;

  /** @param random draws the initial weights */
  constructor({ symbols, model }: TransducerShape, random: Random) {
    const corpus = { source: 'generated', target: 'generated' };
    const side = { kind: 'character' } as const;
    const { encoder, decoder, bidirectional, ...rest } = model;
    const config = configSchema.parse({
      data: { train: corpus, validation: corpus },
      text: { source: side, target: side },
      model: {
        ...rest,
        encoder: { hidden: encoder, bidirectional },
        decoder: { hidden: decoder },
        dropout: { embedding: 0, layers: 0, output: 0 },
      },
    });
    const sizes = {
      source: SPECIALS.length + symbols.source,
      target: SPECIALS.length + symbols.target,
    };
    this.#model = new Seq2Seq(config.model, sizes, random);
  }

  /** Numbers in the weights, fixed ones included. */
  get size(): number {
    return this.#model.parameters.size;
  }

  /**
   * Minimises cross-entropy per target symbol with Adam.
   * @param batch pairs of a step
   * @returns milliseconds a step
   */
  train(training: Training, batch: () => readonly SymbolPair[]): Promise<number> {
    return minimise<BatchPart>(this.#model.parameters, training, {
      batch: () => stepInputs(batch(), this.#model.config.reverseSource),
      loss: (weights, { source, sourceLengths, previous, targetLengths, labels, shares }) => {
        const reading = (ids: Tensor, lengths: Tensor): Reading => ({
          ids: ids as Tensor1D,
          mask: new TensorMask(lengths as Tensor1D, ids.size / lengths.size),
        });
        const losses = this.#model.losses(
          weights,
          reading(source, sourceLengths),
          reading(previous, targetLengths),
          labels as Tensor1D,
        );
        return sum(mul(losses, shares)) as Scalar;
      },
    });
  }

  /** Greedy outputs of at most `maxLength` symbols. */
  translate(sources: readonly (readonly number[])[], maxLength: number): number[][] {
    const options = resolveSearchOptions({ beam: 1, maxLength, forbidUnknown: true });
    const outputs: number[][] = [];
    for (let start = 0; start < sources.length; start += TEST_BATCH) {
      const part = sources.slice(start, start + TEST_BATCH);
      for (const { tokens } of greedySearch(this.#model, padIds(part.map(ids)), options)) {
        outputs.push(Array.from(tokens, (id) => id - SPECIALS.length));
      }
    }
    return outputs;
  }

  dispose(): void {
    this.#model.dispose();
  }
}

/** A batch as arrays, padded to few lengths. */
function stepInputs(pairs: readonly SymbolPair[], reverseSource: boolean): StepInputs<BatchPart> {
  const source = padIds(
    pairs.map((pair) => ids(pair.source)),
    ROUNDING,
  );
  const target = padIds(
    pairs.map((pair) => ids(pair.target)),
    ROUNDING,
  );
  const vector = (values: Float32Array | Int32Array): HostTensor => ({ values, shape: [values.length] });
  const tokens = target.lengths.reduce((x, y) => x + y, 0);
  const { rows } = target;
  const shares = Float32Array.from({ length: rows * target.time }, (_, k) =>
    Math.floor(k / rows) < target.lengths[k % rows]! ? 1 / tokens : 0,
  );
  return {
    source: vector(timeMajorIds(reverseSource ? reversed(source) : source.ids, source)),
    sourceLengths: vector(source.lengths),
    previous: vector(timeMajorIds(shifted(target), target)),
    targetLengths: vector(target.lengths),
    labels: vector(timeMajorIds(target.ids, target)),
    shares: vector(shares),
  };
}

/** Symbols follow the specials. */
function ids(symbols: readonly number[]): number[] {
  return symbols.map((symbol) => SPECIALS.length + symbol);
}
