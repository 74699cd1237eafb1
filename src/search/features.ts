import type { FeatureFunction } from './rerank.js';
import type { Translator } from './translator.js';

/** ln P(hypothesis | source) under a model. */
export function modelFeature(translator: Translator, name = 'model'): FeatureFunction {
  return {
    name,
    defaultWeight: 1,
    compute: async (pairs) => (await translator.score(pairs)).map(({ score }) => score),
  };
}

/** ln P(source | hypothesis) under a model of the other direction. */
export function reverseFeature(translator: Translator, name = 'reverse'): FeatureFunction {
  return {
    name,
    defaultWeight: 1,
    compute: async (pairs) => {
      const turned = pairs.map(({ source, target }) => ({ source: target, target: source }));
      return (await translator.score(turned)).map(({ score }) => score);
    },
  };
}

/** The hypothesis' length in the model's own target tokens, EOS not counted. */
export function lengthFeature(translator: Translator, name = 'length'): FeatureFunction {
  return {
    name,
    defaultWeight: 0,
    compute: (pairs) => pairs.map(({ target }) => translator.target.encode(target).length),
  };
}
