import { setImmediate as nextTurn } from 'node:timers/promises';
import { DragomanError } from '../errors.js';
import type { BatchSpec } from '../text/batch.js';
import { collate, makeBatches } from '../text/batch.js';
import type { EncodedCorpus } from '../text/encoded.js';
import type { TranslatedSentence } from './events.js';
import type { TrainableModel } from './trainable.js';

/** Greedy translations of a sample of the validation set, and their BLEU. */
export interface SampleScore {
  /** 0 to 100. */
  readonly bleu: number;
  /** A few of the sentences, to look at. */
  readonly examples: readonly TranslatedSentence[];
}

/** Translates a sample with the model as it is now; null when `signal` ended that early. */
export type TranslateSample = (signal: AbortSignal | undefined) => Promise<SampleScore | null>;

/** What teacher forcing finds on a corpus. */
export interface TeacherForcedScore {
  /** exp(-log-likelihood / tokens), end of sentence counted. */
  readonly perplexity: number;
  /** Share of the target tokens that are the model's first choice. */
  readonly accuracy: number;
}

/**
 * Perplexity and accuracy of a model on a corpus, without dropout.
 *
 * @returns null when `signal` ended it early.
 * @throws DragomanError `training` when the likelihood is not finite.
 */
export async function teacherForcedScore(
  model: TrainableModel,
  corpus: EncodedCorpus,
  batch: BatchSpec,
  signal?: AbortSignal,
): Promise<TeacherForcedScore | null> {
  let logLikelihood = 0;
  let correct = 0;
  let tokens = 0;
  for (const indices of makeBatches(corpus, batch, null)) {
    if (signal?.aborted) return null;
    const score = model.evaluate(collate(corpus, indices));
    logLikelihood += score.logLikelihood;
    correct += score.correct;
    tokens += score.tokens;
    await nextTurn(); // lets a Ctrl-C arrive
  }
  const perplexity = Math.exp(-logLikelihood / tokens);
  if (!Number.isFinite(perplexity)) {
    throw new DragomanError('training', `expected a finite validation perplexity, got ${perplexity}`);
  }
  return { perplexity, accuracy: correct / tokens };
}
