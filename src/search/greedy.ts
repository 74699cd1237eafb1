import type { PaddedIds } from '../text/batch.js';
import { EOS } from '../text/vocabulary.js';
import type { Hypothesis } from './hypothesis.js';
import { barredTokens, isBarred } from './next-tokens.js';
import type { ResolvedSearchOptions } from './options.js';
import { type Choice, followPaths } from './single-path.js';
import type { StepModel } from './step-model.js';

/** The most probable token at every step; of equal ones the lower id. One hypothesis a sentence. */
export function greedySearch(
  model: StepModel,
  source: PaddedIds,
  options: ResolvedSearchOptions,
): Hypothesis[] {
  const { forbidUnknown } = options;
  const choose = ({ decoding, previous, forced, mayEnd, askedBy }: Choice) => {
    const rows = previous.length;
    const tokens = new Int32Array(rows);
    const scores = new Float64Array(rows);
    const { best, ends, attention } = decoding.best(
      previous,
      1 + barredTokens(forbidUnknown) + (mayEnd ? 0 : 1),
      { ends: forced.includes(1), attention: askedBy },
    );
    for (let row = 0; row < rows; row++) {
      let at = row * best.k;
      while (isBarred(best.ids[at]!, mayEnd, forbidUnknown)) at++;
      const mustEnd = ends !== null && forced[row] === 1;
      tokens[row] = mustEnd ? EOS : best.ids[at]!;
      scores[row] = (mustEnd ? ends[row]! : best.logits[at]!) - best.normalisers[row]!;
    }
    return { tokens, scores, attention };
  };
  return followPaths(model, source, options, 1, choose).map(([only]) => only!);
}
