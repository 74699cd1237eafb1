import { DragomanError } from '../errors.js';
import type { PaddedIds } from '../text/batch.js';
import { SPECIALS } from '../text/vocabulary.js';
import { beamSearch } from './beam.js';
import { greedySearch } from './greedy.js';
import type { Hypothesis } from './hypothesis.js';
import type { ResolvedSearchOptions } from './options.js';
import { sampleSearch } from './sample.js';
import type { StepModel } from './step-model.js';

/**
 * Translates a batch of sources (ids) as the options say: sampling, greedy search (beam 1) or beam search.
 * Returns the hypotheses of each source: best first, or in the order they were drawn. `lines [rows]` are the
 * sources' places in the whole input, for the generators of sampling.
 */
export function search(
  model: StepModel,
  source: PaddedIds,
  options: ResolvedSearchOptions,
  lines: ArrayLike<number> = Int32Array.from({ length: source.rows }, (_, i) => i),
): Hypothesis[][] {
  if (options.forbidUnknown && model.targetSize <= SPECIALS.length) {
    throw new DragomanError('usage', 'forbidUnknown: the target vocabulary has no other token');
  }
  if (options.sample !== null) return sampleSearch(model, source, options, options.sample, lines);
  // With `stop: 'bound'` a beam of 1 may look past its first EOS, so only then is it not greedy search.
  if (options.beam === 1 && options.stop === 'count') {
    return greedySearch(model, source, options).map((hypothesis) => [hypothesis]);
  }
  return beamSearch(model, source, options);
}
