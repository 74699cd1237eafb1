import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { configSchema } from '../config/translation.js';
import type { ConfigInput } from '../config.js';
import { Seq2Seq } from '../model/seq2seq.js';
import type { Random } from '../random.js';
import { greedySearch } from '../search/greedy.js';
import { resolveSearchOptions } from '../search/options.js';
import { padIds } from '../text/batch.js';
import { SPECIALS } from '../text/vocabulary.js';
import { createOptimizer } from '../train/optimizer.js';
import { adam } from './adam.js';
import { type NetworkTraining, rateOf } from './network.js';
import { watchSteps } from './watch.js';

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
  train(training: NetworkTraining, batch: () => readonly SymbolPair[]): Promise<number> {
    const { steps, clip, watch = {} } = training;
    const rate = rateOf(training);
    const optimizer = createOptimizer(adam(training.learningRate), this.#model.parameters, clip);
    return watchSteps(steps, watch, (step) => {
      const pairs = batch();
      const target = padIds(pairs.map((pair) => ids(pair.target)));
      const { loss, logLikelihood, gradients } = this.#model.gradients(
        {
          indices: Int32Array.from(pairs, (_, k) => k),
          source: padIds(pairs.map((pair) => ids(pair.source))),
          target,
          targetTokens: target.lengths.reduce((x, y) => x + y, 0),
        },
        { labelSmoothing: 0, seed: step },
      );
      optimizer.apply(gradients, rate(step)).dispose();
      dispose(gradients as Record<string, Tensor>);
      logLikelihood.dispose();
      return loss;
    }).finally(() => optimizer.dispose());
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

/** Symbols follow the specials. */
function ids(symbols: readonly number[]): number[] {
  return symbols.map((symbol) => SPECIALS.length + symbol);
}
