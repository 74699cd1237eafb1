import type { PaddedIds } from '../text/batch.js';
import { BOS, EOS } from '../text/vocabulary.js';
import { askedBy, Coverage, type StepAttention, sourceLengths, strongest } from './attention.js';
import { Decoding } from './decoding.js';
import { type Hypothesis, ROOT, Trellis } from './hypothesis.js';
import { barredTokens, isBarred, type NextTokens } from './next-tokens.js';
import { lengthLimit, type ResolvedSearchOptions } from './options.js';
import { bestPossible, hasPenalty, rankScore } from './penalty.js';
import type { StepModel } from './step-model.js';

/**
 * Batched beam search. Returns for each source up to `nbest` hypotheses, best first.
 *
 * At each step, for each sentence on its own:
 * 1. The candidates are all continuations of its live hypotheses by one token, ordered by log P; equal ones by
 *    the order of their hypotheses, then by token id. PAD and BOS are no candidates, nor UNK when forbidden, nor
 *    EOS before `minLength`.
 * 2. A candidate that ends in EOS is finished if it stands among the first `beam`; else it is dropped.
 * 3. The first `beam` other candidates live on. At the length limit there are none: EOS is forced on all.
 * 4. The sentence is done when no hypothesis lives; when `beam` or more are finished (`stop: 'count'`); or when
 *    the `nbest`-th finished one ranks at least as high as any continuation of a live one can
 *    ({@link bestPossible}), which loses nothing.
 *
 * Live hypotheses are compared by log P alone: they have one length, so a length penalty changes no order among
 * them. Finished ones are ranked by {@link rankScore}, equal ones by who finished first. With a beam of 1 this is
 * greedy search. No sentence sees another: batching changes no output. Sentences that are done leave the batch.
 */
export function beamSearch(
  model: StepModel,
  source: PaddedIds,
  options: ResolvedSearchOptions,
): Hypothesis[][] {
  const search = new BeamSearch(model, source, options);
  return search.run();
}

interface Finished {
  readonly rank: number;
  readonly hypothesis: Hypothesis;
}

class BeamSearch {
  readonly #model: StepModel;
  readonly #source: PaddedIds;
  readonly #options: ResolvedSearchOptions;
  readonly #beam: number;
  /** So many tokens of each row are read: `beam` to live on, EOS, and those that are no candidates. */
  readonly #candidates: number;
  readonly #sourceLengths: Int32Array;
  readonly #limits: Int32Array;
  readonly #ranked: boolean;
  /** What wants attention. */
  readonly #askedBy: string | null;
  readonly #trellis = new Trellis();
  /** By sentence of the source, best first. */
  readonly #finished: Finished[][];

  /** The sentences still in the batch, by their number in the source. */
  #active: Int32Array;
  /** [active] live hypotheses; they fill the first places of a sentence. */
  #live: Int32Array;
  /** [active * width] ln P of each live hypothesis. */
  #totals: Float64Array;
  /** [active * width] its last token. */
  #nodes: Int32Array;
  #coverage: Coverage | null;

  constructor(model: StepModel, source: PaddedIds, options: ResolvedSearchOptions) {
    this.#model = model;
    this.#source = source;
    this.#options = options;
    this.#beam = options.beam;
    this.#candidates = options.beam + 1 + barredTokens(options.forbidUnknown);
    this.#sourceLengths = sourceLengths(source);
    this.#limits = this.#sourceLengths.map((length) => Math.min(lengthLimit(options, length), 0x7fffffff));
    this.#ranked = hasPenalty(options);
    this.#askedBy = askedBy(options);
    this.#finished = Array.from({ length: source.rows }, () => []);
    this.#active = Int32Array.from({ length: source.rows }, (_, i) => i);
    this.#live = new Int32Array(source.rows).fill(1);
    this.#totals = new Float64Array(source.rows);
    this.#nodes = new Int32Array(source.rows).fill(ROOT);
    this.#coverage = options.coveragePenalty > 0 ? new Coverage(source.rows, source.time) : null;
  }

  run(): Hypothesis[][] {
    if (this.#source.rows === 0) return [];
    const decoding = new Decoding(this.#model, this.#source);
    try {
      let previous = new Int32Array(this.#source.rows).fill(BOS);
      for (let length = 0; this.#active.length > 0; length++) {
        previous = this.#step(decoding, previous, length);
      }
    } finally {
      decoding.release();
    }
    return this.#finished.map((all) => all.slice(0, this.#options.nbest).map(({ hypothesis }) => hypothesis));
  }

  /** One step of the whole batch, whose hypotheses have `length` tokens. Returns the tokens to feed next. */
  #step(decoding: Decoding, previous: Int32Array, length: number): Int32Array<ArrayBuffer> {
    const { best, ends, attention } = decoding.best(previous, this.#candidates, {
      ends: this.#active.some((sentence) => this.#limits[sentence] === length),
      attention: this.#askedBy,
    });
    const width = length === 0 ? 1 : this.#beam; // rows of a sentence now; afterwards always `beam`
    const next = new NextRows(
      this.#active.length,
      this.#beam,
      this.#coverage === null ? 0 : this.#source.time,
    );
    for (let position = 0; position < this.#active.length; position++) {
      const sentence = this.#active[position]!;
      if (ends !== null && this.#limits[sentence] === length) {
        this.#forceEnd(position, width, length, best, ends, attention);
      } else {
        this.#extend(position, width, length, best, attention, next);
      }
    }

    const staying = next.positions.subarray(0, next.kept);
    const active = this.#active;
    if (next.kept > 0) {
      if (next.kept < active.length) decoding.keep(staying);
      if (length === 0) decoding.expand(this.#beam);
      else decoding.reorder(next.parents.subarray(0, next.kept * this.#beam));
    }
    this.#active = staying.map((position) => active[position]!);
    this.#live = next.live;
    this.#totals = next.totals;
    this.#nodes = next.nodes;
    this.#coverage = next.coverage;
    return next.tokens.slice(0, next.kept * this.#beam);
  }

  /** Steps 1 to 4 for the sentence at `position`: finishes hypotheses, and writes those that live on to `next`. */
  #extend(
    position: number,
    width: number,
    length: number,
    best: NextTokens,
    attention: StepAttention | null,
    next: NextRows,
  ): void {
    const sentence = this.#active[position]!;
    const first = position * width;
    const live = this.#live[position]!;
    const out = next.kept * this.#beam;
    const heads = next.heads.fill(0);
    let written = 0;
    for (let rank = 0; written < this.#beam; rank++) {
      // The lists of the rows are sorted: the best candidate is one of their heads.
      let slot = -1;
      let total = Number.NEGATIVE_INFINITY;
      for (let s = 0; s < live; s++) {
        const at = this.#head(first + s, heads, s, best, length);
        if (at < 0) continue;
        const here = this.#totals[first + s]! + this.#tokenScore(best, first + s, at);
        if (here > total) {
          total = here;
          slot = s;
        }
      }
      if (slot < 0) break;
      const row = first + slot;
      const at = row * best.k + heads[slot]!;
      heads[slot]! += 1;
      const token = best.ids[at]!;
      const score = this.#tokenScore(best, row, at);
      if (token === EOS) {
        if (rank < this.#beam) this.#finish(position, row, length, score, attention, false);
        continue;
      }
      const aligned = attention === null ? -1 : strongest(attention, row, this.#sourceLengths[sentence]!);
      next.totals[out + written] = total;
      next.nodes[out + written] = this.#trellis.add(this.#nodes[row]!, token, score, aligned);
      next.tokens[out + written] = token;
      next.parents[out + written] = next.kept * width + slot;
      if (attention !== null && this.#coverage !== null) {
        next.coverage?.extend(out + written, this.#coverage, row, attention, row);
      }
      written++;
    }
    if (written === 0 || this.#isDone(sentence, next.totals[out]!)) return;
    // Places without a hypothesis still need a token and a parent; nothing of them is ever read.
    next.tokens.fill(EOS, out + written, out + this.#beam);
    next.parents.fill(next.kept * width, out + written, out + this.#beam);
    next.live[next.kept] = written;
    next.positions[next.kept] = position;
    next.kept++;
  }

  /** Index into `best` of the row's best candidate not taken yet, or -1; skips what is no candidate. */
  #head(row: number, heads: Int32Array, slot: number, best: NextTokens, length: number): number {
    const start = row * best.k;
    const mayEnd = length >= this.#options.minLength;
    for (; heads[slot]! < best.k; heads[slot]! += 1) {
      const token = best.ids[start + heads[slot]!]!;
      if (isBarred(token, mayEnd, this.#options.forbidUnknown)) continue;
      return start + heads[slot]!;
    }
    return -1;
  }

  #tokenScore(best: NextTokens, row: number, at: number): number {
    return best.logits[at]! - best.normalisers[row]!;
  }

  #forceEnd(
    position: number,
    width: number,
    length: number,
    best: NextTokens,
    ends: Float32Array,
    attention: StepAttention | null,
  ): void {
    for (let slot = 0; slot < this.#live[position]!; slot++) {
      const row = position * width + slot;
      this.#finish(position, row, length, ends[row]! - best.normalisers[row]!, attention, true);
    }
  }

  #finish(
    position: number,
    row: number,
    length: number,
    eosScore: number,
    attention: StepAttention | null,
    limited: boolean,
  ): void {
    const sentence = this.#active[position]!;
    const score = this.#totals[row]! + eosScore;
    let rank = score;
    if (this.#ranked) {
      const sourceLength = this.#sourceLengths[sentence]!;
      let sums: Float32Array = new Float32Array(0);
      if (attention !== null && this.#coverage !== null) {
        const last = new Coverage(1, this.#source.time);
        last.extend(0, this.#coverage, row, attention, row);
        sums = last.row(0, sourceLength);
      }
      rank = rankScore(score, length + 1, sums, this.#options);
    }
    const hypothesis = this.#trellis.finish(this.#nodes[row]!, eosScore, {
      score,
      normalised: this.#ranked ? rank : null,
      alignment: this.#options.alignment,
      limited,
    });
    const all = this.#finished[sentence]!;
    let place = all.length;
    while (place > 0 && all[place - 1]!.rank < rank) place--;
    all.splice(place, 0, { rank, hypothesis });
  }

  #isDone(sentence: number, bestLive: number): boolean {
    const { stop, nbest, lengthPenalty } = this.#options;
    const all = this.#finished[sentence]!;
    if (stop === 'count' && all.length >= this.#beam) return true;
    if (all.length < nbest) return false;
    return all[nbest - 1]!.rank >= bestPossible(bestLive, this.#limits[sentence]! + 1, lengthPenalty);
  }
}

/** The batch as it will be after the step: sentences that go on, moved together, each with `beam` rows. */
class NextRows {
  /** Sentences that go on. */
  kept = 0;
  /** [kept] where they stand in the batch now. */
  readonly positions: Int32Array;
  readonly live: Int32Array;
  readonly totals: Float64Array;
  readonly nodes: Int32Array;
  readonly tokens: Int32Array;
  /** Row each one continues, in the batch without the sentences that are done. */
  readonly parents: Int32Array;
  readonly coverage: Coverage | null;
  /** [beam] scratch: how many candidates of each row were taken. */
  readonly heads: Int32Array;

  constructor(sentences: number, beam: number, coverageTime: number) {
    const rows = sentences * beam;
    this.positions = new Int32Array(sentences);
    this.live = new Int32Array(sentences);
    this.totals = new Float64Array(rows);
    this.nodes = new Int32Array(rows);
    this.tokens = new Int32Array(rows);
    this.parents = new Int32Array(rows);
    this.coverage = coverageTime > 0 ? new Coverage(rows, coverageTime) : null;
    this.heads = new Int32Array(beam);
  }
}
