import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TextCodec } from '../text/codec.js';
import { windows } from './look-ahead.js';
import { type EncodedPair, type ScoringModel, scorePairs } from './scorer.js';

/** How probable a text is: a target given its source, or a sentence under a language model. */
export interface PairScore {
  /** ln P(target | source), or ln P(text). */
  readonly score: number;
  /** `score` divided by the number of target tokens, EOS counted. */
  readonly perToken: number;
  /** The target as the model's tokens; `<unk>` where it has no token. */
  readonly tokens: readonly string[];
  /** ln P of each token, EOS last: one more than `tokens`. */
  readonly tokenScores: Float32Array;
}

/** A stream that pauses so long (milliseconds) gets what it has given so far worked on. */
export const PATIENCE = 100;
/** Items of a stream scored together. */
const ITEMS_PER_CHUNK = 1024;

/** Scores what a stream gives, in its order, while later items are still read. */
export async function* scoredStream<Item>(
  model: ScoringModel,
  target: TextCodec,
  items: AsyncIterable<Item> | Iterable<Item>,
  encode: (item: Item) => EncodedPair,
): AsyncGenerator<PairScore> {
  for await (const window of windows(items, { size: ITEMS_PER_CHUNK, patience: PATIENCE })) {
    const encoded = window.map(encode);
    for (const [i, tokenScores] of scorePairs(model, encoded).entries()) {
      const score = tokenScores.reduce((sum, value) => sum + value, 0);
      const tokens = target.tokens(encoded[i]!.target);
      yield { score, perToken: score / tokenScores.length, tokens, tokenScores };
    }
    await nextTurn(); // timers, input and signals of the process have their turn
  }
}
