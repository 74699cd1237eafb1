import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../random.js';
import type { PaddedIds } from '../text/batch.js';
import { EOS } from '../text/vocabulary.js';
import { readAttention } from './attention.js';
import type { Hypothesis } from './hypothesis.js';
import { isBarred, tokenScores } from './next-tokens.js';
import type { ResolvedSearchOptions, SamplingOptions } from './options.js';
import { type Choice, followPaths } from './single-path.js';
import type { StepModel } from './step-model.js';

/**
 * `nbest` samples per sentence, in the order they were drawn. Logits are divided by the temperature, cut to the
 * `topK` best, then to the smallest set holding `topP` of what is left (Holtzman et al. 2020, "The curious case
 * of neural text degeneration"), and one token is drawn by inverting the cumulated probabilities. Scores are the
 * model's own log-probabilities, untouched by temperature and cuts.
 *
 * `lines [rows]` are the sentences' places in the input: sample i of line l draws from a generator made of
 * (seed, l, i) alone, so neither batching nor other lines change it.
 */
export function sampleSearch(
  model: StepModel,
  source: PaddedIds,
  options: ResolvedSearchOptions,
  sampling: SamplingOptions,
  lines: ArrayLike<number>,
): Hypothesis[][] {
  const samples = options.nbest;
  const generators = Array.from({ length: source.rows * samples }, (_, path) =>
    new Random(sampling.seed).fork(lines[Math.floor(path / samples)]!).fork(path % samples),
  );
  const bars = [true, false].map((mayEnd) =>
    tf.tensor1d(barVector(model.targetSize, mayEnd, options.forbidUnknown)),
  );
  try {
    const choose = ({ decoding, previous, paths, forced, mayEnd, askedBy }: Choice) => {
      const uniforms = Float32Array.from(paths, (path) => (path < 0 ? 0 : generators[path]!.next()));
      const { logits, attention } = decoding.step(previous);
      try {
        const drawn = draw(logits, mayEnd ? bars[0]! : bars[1]!, uniforms, sampling);
        const tokens = drawn.map((token, row) => (forced[row] === 1 ? EOS : token));
        return {
          tokens,
          scores: tokenScores(logits, tokens),
          attention: askedBy === null ? null : readAttention(attention, askedBy),
        };
      } finally {
        tf.dispose(attention === null ? [logits] : [logits, attention]);
      }
    };
    return followPaths(model, source, options, samples, choose);
  } finally {
    tf.dispose(bars);
  }
}

/** [vocabulary] 0, or -infinity for a token that must not be drawn. */
function barVector(size: number, mayEnd: boolean, forbidUnknown: boolean): Float32Array {
  return Float32Array.from({ length: size }, (_, token) =>
    isBarred(token, mayEnd, forbidUnknown) ? Number.NEGATIVE_INFINITY : 0,
  );
}

/** [rows] one token a row, all on the device: a vocabulary's worth of probabilities is never read back. */
function draw(
  logits: tf.Tensor2D,
  bars: tf.Tensor,
  uniforms: Float32Array,
  sampling: SamplingOptions,
): Int32Array {
  const tokens = tf.tidy(() => {
    const rows = logits.shape[0];
    const allowed = tf.add(tf.div(logits, sampling.temperature), bars) as tf.Tensor2D; // [rows, vocabulary]
    const sorted = sampling.topK !== undefined || sampling.topP < 1;
    const kept = Math.min(sampling.topK ?? allowed.shape[1], allowed.shape[1]);
    const best = sorted ? tf.topk(allowed, kept) : null;
    let probabilities: tf.Tensor = tf.softmax(best?.values ?? allowed); // [rows, kept]
    if (sampling.topP < 1) {
      // A token stays while those before it hold less than topP: the first one always stays.
      const before = tf.cumsum(probabilities, 1, true);
      probabilities = tf.mul(probabilities, tf.cast(tf.less(before, sampling.topP), 'float32'));
    }
    const cumulated = tf.cumsum(probabilities, 1); // [rows, kept]
    const mass = tf.slice(cumulated, [0, kept - 1], [rows, 1]);
    // The first place whose cumulated probability exceeds the draw. Rounding can bring a draw up to the whole
    // mass; then the last place that adds to it is meant, which is the first that reaches it.
    const target = tf.mul(tf.tensor2d(uniforms, [rows, 1]), mass);
    const passed = tf.sum(tf.cast(tf.lessEqual(cumulated, target), 'int32'), 1);
    const last = tf.sum(tf.cast(tf.less(cumulated, mass), 'int32'), 1);
    const places = tf.cast(tf.minimum(passed, last), 'int32'); // [rows]
    if (best === null) return places;
    const offsets = tf.range(0, rows * kept, kept, 'int32');
    return tf.gather(tf.reshape(best.indices, [rows * kept]), tf.add(offsets, places));
  });
  const ids = tokens.dataSync<'int32'>();
  tokens.dispose();
  return Int32Array.from(ids);
}
