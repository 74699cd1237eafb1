import { splitWhitespace } from '../metrics/python-string.js';
import type { FeatureFunction } from './rerank.js';
import type { PairScore } from './scored-stream.js';
import type { TextScorer } from './text-scorer.js';
import type { TextPair, Translator } from './translator.js';

/** What a model's score of a pair becomes: ln P, ln P divided by the tokens (EOS counted), or a feature of each. */
export const MODEL_SCORES = ['sum', 'per-token', 'both'] as const;
export type ModelScores = (typeof MODEL_SCORES)[number];

/** Behind the name of a feature that is divided by the number of tokens. */
const PER_TOKEN = '-per-token';

/** ln P(hypothesis | source) under a model: features `name`, `name-per-token`, or both for one pass of the model. */
export function modelFeatures(
  translator: Translator,
  scores: ModelScores,
  name = 'model',
): FeatureFunction[] {
  return scoreFeatures(
    once((pairs) => translator.score(pairs)),
    scores,
    name,
  );
}

/** ln P(source | hypothesis) under a model of the other direction, likewise. */
export function reverseFeatures(
  translator: Translator,
  scores: ModelScores,
  name = 'reverse',
): FeatureFunction[] {
  return scoreFeatures(
    once((pairs) =>
      translator.score(pairs.map(({ source, target }) => ({ source: target, target: source }))),
    ),
    scores,
    name,
  );
}

/** ln P(hypothesis) under a language model, likewise. It sees text: its tokens need not be those of other models. */
export function languageModelFeatures(
  scorer: TextScorer,
  scores: ModelScores,
  name = 'lm',
): FeatureFunction[] {
  return scoreFeatures(
    once((pairs) => scorer.score(pairs.map(({ target }) => target))),
    scores,
    name,
  );
}

/** ln P(hypothesis | source) under a model. */
export function modelFeature(translator: Translator, name = 'model'): FeatureFunction {
  return modelFeatures(translator, 'sum', name)[0]!;
}

/** ln P(source | hypothesis) under a model of the other direction. */
export function reverseFeature(translator: Translator, name = 'reverse'): FeatureFunction {
  return reverseFeatures(translator, 'sum', name)[0]!;
}

/** ln P(hypothesis) under a language model. */
export function languageModelFeature(scorer: TextScorer, name = 'lm'): FeatureFunction {
  return languageModelFeatures(scorer, 'sum', name)[0]!;
}

/** The hypothesis' length in the model's own target tokens, EOS not counted. */
export function lengthFeature(translator: Translator, name = 'length'): FeatureFunction {
  return {
    name,
    defaultWeight: 0,
    compute: (pairs) => pairs.map(({ target }) => translator.target.encode(target).length),
  };
}

/** The hypothesis' length in words, which are what stands between white space: it needs no model. */
export function wordsFeature(name = 'words'): FeatureFunction {
  return {
    name,
    defaultWeight: 0,
    compute: (pairs) => pairs.map(({ target }) => splitWhitespace(target).length),
  };
}

type Scorer = (pairs: readonly TextPair[]) => Promise<readonly PairScore[]>;

function scoreFeatures(scorer: Scorer, scores: ModelScores, name: string): FeatureFunction[] {
  const sum: FeatureFunction = {
    name,
    defaultWeight: 1,
    compute: async (pairs) => (await scorer(pairs)).map(({ score }) => score),
  };
  const perToken: FeatureFunction = {
    name: name + PER_TOKEN,
    // Beside the sum it is one more feature; alone it is the model's voice.
    defaultWeight: scores === 'both' ? 0 : 1,
    compute: async (pairs) => (await scorer(pairs)).map((score) => score.perToken),
  };
  if (scores === 'both') return [sum, perToken];
  return [scores === 'sum' ? sum : perToken];
}

/** Remembers the last result, so that two features of the same pairs cost the model one pass. */
function once(scorer: Scorer): Scorer {
  let last: { pairs: readonly TextPair[]; result: Promise<readonly PairScore[]> } | null = null;
  return (pairs) => {
    if (last?.pairs !== pairs) last = { pairs, result: scorer(pairs) };
    return last.result;
  };
}
