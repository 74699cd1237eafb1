import type { PaddedIds } from '../text/batch.js';
import { BOS, EOS } from '../text/vocabulary.js';
import { askedBy, Coverage, type StepAttention, sourceLengths, strongest } from './attention.js';
import { Decoding } from './decoding.js';
import { type Hypothesis, ROOT, Trellis } from './hypothesis.js';
import { lengthLimit, type ResolvedSearchOptions } from './options.js';
import { hasPenalty, rankScore } from './penalty.js';
import type { StepModel } from './step-model.js';

/** What a chooser is told: one row per path. */
export interface Choice {
  /** The model, whose next step it takes. */
  readonly decoding: Decoding;
  /** [rows] the last token of each. */
  readonly previous: Int32Array;
  /** For each row its path's number, `sentence * paths + i`, or -1 where the path has ended. */
  readonly paths: Int32Array;
  /** [rows] 1 where the length limit forces EOS. */
  readonly forced: Uint8Array;
  /** EOS may be chosen: `minLength` is reached. */
  readonly mayEnd: boolean;
  /** What wants attention; null where nothing does. */
  readonly askedBy: string | null;
}

/** For every row the next token and its ln P, and attention if it is wanted. What is given for ended paths does not matter. */
export type Chooser = (choice: Choice) => {
  tokens: Int32Array;
  scores: ArrayLike<number>;
  attention: StepAttention | null;
};

/**
 * Search that never looks back: `paths` hypotheses per sentence, each growing by the one token that the chooser
 * picks, until it picks EOS or the length limit forces it. Greedy search and sampling are choosers. Returns the
 * paths of each sentence in their order. Sentences whose paths have all ended leave the batch.
 */
export function followPaths(
  model: StepModel,
  source: PaddedIds,
  options: ResolvedSearchOptions,
  paths: number,
  choose: Chooser,
): Hypothesis[][] {
  if (source.rows === 0) return [];
  const lengths = sourceLengths(source);
  const limits = lengths.map((length) => Math.min(lengthLimit(options, length), 0x7fffffff));
  const trellis = new Trellis();
  const total = source.rows * paths;
  const nodes = new Int32Array(total).fill(ROOT);
  const scores = new Float64Array(total);
  const ended: (Hypothesis | undefined)[] = new Array(total);
  const coverage = options.coveragePenalty > 0 ? new Coverage(total, source.time) : null;

  let active = Int32Array.from({ length: source.rows }, (_, i) => i);
  const decoding = new Decoding(model, source);
  try {
    decoding.expand(paths);
    let previous = new Int32Array(total).fill(BOS);
    for (let length = 0; active.length > 0; length++) {
      const rows = active.length * paths;
      const numbers = new Int32Array(rows);
      const forced = new Uint8Array(rows);
      for (let row = 0; row < rows; row++) {
        const sentence = active[Math.floor(row / paths)]!;
        const path = sentence * paths + (row % paths);
        numbers[row] = ended[path] === undefined ? path : -1;
        forced[row] = limits[sentence] === length ? 1 : 0;
      }

      const mayEnd = length >= options.minLength;
      const asked = { paths: numbers, forced, mayEnd, askedBy: askedBy(options) };
      const { attention: weights, ...chosen } = choose({ decoding, previous, ...asked });

      const tokens = new Int32Array(rows).fill(EOS);
      for (let row = 0; row < rows; row++) {
        const path = numbers[row]!;
        if (path < 0) continue;
        const sentence = active[Math.floor(row / paths)]!;
        const token = chosen.tokens[row]!;
        const score = chosen.scores[row]!;
        scores[path]! += score;
        if (weights !== null) coverage?.extend(path, coverage, path, weights, row);
        tokens[row] = token;
        if (token !== EOS) {
          const aligned = weights === null ? -1 : strongest(weights, row, lengths[sentence]!);
          nodes[path] = trellis.add(nodes[path]!, token, score, aligned);
          continue;
        }
        const sums = coverage?.row(path, lengths[sentence]!) ?? [];
        ended[path] = trellis.finish(nodes[path]!, score, {
          score: scores[path]!,
          normalised: hasPenalty(options) ? rankScore(scores[path]!, length + 1, sums, options) : null,
          alignment: options.alignment,
          limited: forced[row] === 1,
        });
      }

      const staying = Int32Array.from(active.keys()).filter((position) =>
        tokens.subarray(position * paths, (position + 1) * paths).some((token) => token !== EOS),
      );
      previous = new Int32Array(staying.length * paths);
      staying.forEach((position, i) => {
        previous.set(tokens.subarray(position * paths, (position + 1) * paths), i * paths);
      });
      if (staying.length > 0 && staying.length < active.length) decoding.keep(staying);
      const before = active;
      active = staying.map((position) => before[position]!);
    }
  } finally {
    decoding.release();
  }
  return Array.from({ length: source.rows }, (_, sentence) =>
    ended.slice(sentence * paths, (sentence + 1) * paths).map((hypothesis) => hypothesis!),
  );
}
