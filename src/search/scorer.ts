import { splitWhitespace } from '../metrics/python-string.js';
import { type Batch, type PaddedIds, padIds } from '../text/batch.js';
import { BOS, EOS } from '../text/vocabulary.js';
import { Decoding } from './decoding.js';
import { requireFinite, tokenScores } from './next-tokens.js';
import type { StepModel } from './step-model.js';

/** A model that scores whole targets at once (teacher forcing) besides decoding step by step. */
export interface ScoringModel extends StepModel {
  /** For each sentence of the batch ln P of every target token given the source and those before it, EOS last. */
  score(batch: Batch): Float32Array[];
}

/** A pair as ids, without BOS and EOS. */
export interface EncodedPair {
  readonly source: Int32Array;
  readonly target: Int32Array;
}

/** A model that scores step by step holds the log-probabilities of all rows at once; a batch has room for these (64 MiB). */
const LOGITS_PER_BATCH = 16_000_000;
/** Positions of a batch, whatever the vocabulary: more bring no speed, but more padding. */
const POSITIONS_PER_BATCH = 3072;

/**
 * ln P of every target token, EOS last, for each pair in the order given. Pairs of similar length are scored
 * together. Nothing is cut: a pair too long for a batch is one of its own; an empty target has the probability of
 * EOS alone, an empty source is a source.
 */
export function scorePairs(model: ScoringModel, pairs: readonly EncodedPair[]): Float32Array[] {
  const scores: Float32Array[] = new Array(pairs.length);
  for (const indices of batches(pairs, model.targetSize)) {
    const chosen = Array.from(indices, (i) => pairs[i]!);
    const target = padIds(chosen.map((pair) => pair.target));
    const targetTokens = target.lengths.reduce((sum, length) => sum + length, 0);
    const batch: Batch = { indices, source: padIds(chosen.map((pair) => pair.source)), target, targetTokens };
    model.score(batch).forEach((tokenScores, row) => {
      requireFinite(tokenScores);
      scores[indices[row]!] = tokenScores;
    });
  }
  return scores;
}

/** Positions sorted by the longer side, longest first so that memory peaks at once, cut into batches. */
function batches(pairs: readonly EncodedPair[], targetSize: number): Int32Array[] {
  const room = Math.max(1, Math.min(POSITIONS_PER_BATCH, Math.floor(LOGITS_PER_BATCH / targetSize)));
  const longer = pairs.map(({ source, target }) => Math.max(source.length, target.length));
  const both = pairs.map(({ source, target }) => source.length + target.length);
  const order = Int32Array.from(pairs.keys()).sort(
    (a, b) => longer[b]! - longer[a]! || both[b]! - both[a]! || a - b,
  );
  const cut: Int32Array[] = [];
  let start = 0;
  let longest = 0;
  for (let i = 0; i < order.length; i++) {
    const time = 1 + longer[order[i]!]!;
    if (i > start && Math.max(longest, time) * (i - start + 1) > room) {
      cut.push(order.slice(start, i));
      start = i;
      longest = 0;
    }
    longest = Math.max(longest, time);
  }
  if (start < order.length) cut.push(order.slice(start));
  return cut;
}

/**
 * The same figures one decoder step at a time: what `score` of a model must equal, and the only way to score with
 * a model that exists only step by step (an ensemble that averages log-probabilities).
 */
export function scoreBySteps(model: StepModel, batch: Batch): Float32Array[] {
  const { source, target } = batch;
  const scores = Array.from(target.lengths, (length) => new Float32Array(length));
  const decoding = new Decoding(model, source);
  try {
    let previous = new Int32Array(target.rows).fill(BOS);
    for (let t = 0; t < target.time; t++) {
      const { logits, attention } = decoding.step(previous);
      if (attention !== null) attention.dispose();
      const tokens = column(target, t);
      const values = tokenScores(logits, tokens);
      logits.dispose();
      scores.forEach((row, r) => {
        if (t < row.length) row[t] = values[r]!;
      });
      previous = tokens;
    }
  } finally {
    decoding.release();
  }
  return scores;
}

/** [rows] the tokens at position `t`; EOS behind the end of a row, where nothing is read any more. */
function column({ ids, lengths, rows, time }: PaddedIds, t: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: rows }, (_, row) => (t < lengths[row]! ? ids[row * time + t]! : EOS));
}

/** Sums over scored sentences, for one perplexity of all. */
export class ScoreSummary {
  sentences = 0;
  /** Words of the sentences that were added with a text: what stands between white space. */
  words = 0;
  /** Target tokens, EOS counted. */
  tokens = 0;
  /** Sum of ln P. */
  logProbability = 0;

  add(pair: { readonly score: number; readonly tokenScores: ArrayLike<number> }, text = ''): void {
    this.sentences++;
    this.words += splitWhitespace(text).length;
    this.tokens += pair.tokenScores.length;
    this.logProbability += pair.score;
  }

  /** exp of the mean negative ln P of a target token; NaN before the first sentence. */
  get perplexity(): number {
    return Math.exp(-this.logProbability / this.tokens);
  }

  /**
   * exp of the mean negative ln P of a word, where the end of each sentence counts as one word more: unlike that of a
   * token it compares models that cut text differently.
   */
  get wordPerplexity(): number {
    return Math.exp(-this.logProbability / (this.words + this.sentences));
  }
}
