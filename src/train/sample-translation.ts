import { setImmediate as nextTurn } from 'node:timers/promises';
import { bleu } from '../metrics/bleu.js';
import { resolveSearchOptions } from '../search/options.js';
import { search } from '../search/search.js';
import type { StepModel } from '../search/step-model.js';
import { padIds } from '../text/batch.js';
import type { Codecs } from '../text/codec.js';
import type { SentencePair } from '../text/corpus.js';
import type { SampleScore, TranslateSample } from './validation.js';

/** Sentences translated together. */
const BATCH = 32;
/** Sentences shown. */
const EXAMPLES = 3;

const GREEDY = resolveSearchOptions({ beam: 1, lengthPenalty: 0 });

/** Translates these sentences greedily with the model as it then is, and scores them against their references. */
export function sampleTranslator(
  model: StepModel,
  codecs: Codecs,
  pairs: readonly Pick<SentencePair, 'source' | 'target'>[],
): TranslateSample {
  const ids = pairs.map(({ source }) => codecs.source.encode(source));
  // Like lengths together, so that little is computed for padding.
  const order = ids.map((_, i) => i).sort((a, b) => ids[a]!.length - ids[b]!.length);
  return async (signal): Promise<SampleScore | null> => {
    const translations = new Array<string>(pairs.length).fill('');
    for (let start = 0; start < order.length; start += BATCH) {
      if (signal?.aborted) return null;
      const rows = order.slice(start, start + BATCH);
      const found = search(model, padIds(rows.map((i) => ids[i]!)), GREEDY);
      rows.forEach((i, row) => {
        translations[i] = codecs.target.decode(found[row]![0]!.tokens);
      });
      await nextTurn(); // lets a Ctrl-C arrive
    }
    const references = pairs.map(({ target }) => target);
    const examples = pairs.slice(0, EXAMPLES).map(({ source, target: reference }, i) => {
      return { source, reference, translation: translations[i]! };
    });
    return { bleu: bleu(translations, references).score, examples };
  };
}
