import { Command, Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import type { FusionOptions } from '../search/load-models.js';
import type { SearchOptions } from '../search/options.js';
import {
  integer,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  probability,
  refuse,
  wholeNumber,
} from './arguments.js';

/** A command that translates: its name, and the options of the search. */
export function searchCommand(name: string) {
  return new Command(name)
    .option('-b, --beam <n>', 'hypotheses kept at each step; 1 is greedy (default: 5)', positiveInteger)
    .option('--length-penalty <alpha>', 'of Wu et al. 2016; 0 is off (default: 1)', nonNegativeNumber)
    .option('--coverage-penalty <beta>', 'of Wu et al. 2016; 0 is off (default: 0)', nonNegativeNumber)
    .option('--min-length <n>', 'fewest target tokens (default: 0)', wholeNumber)
    .option('--max-length <n>', 'most target tokens', positiveInteger)
    .option('--max-ratio <x>', 'most target tokens a source token, plus 10 (default: 2)', positiveNumber)
    .option('--forbid-unknown', 'never produce the unknown token')
    .addOption(
      new Option(
        '--stop <rule>',
        'when a sentence is done: as many as the beam are finished, or provably',
      ).choices(['count', 'bound'] as const),
    )
    .option('--sample', 'draw from the model instead of searching for the best')
    .option(
      '--temperature <t>',
      'with --sample: below 1 sharper, above 1 flatter (default: 1)',
      positiveNumber,
    )
    .option('--top-k <k>', 'with --sample: only the k most probable tokens', positiveInteger)
    .option('--top-p <p>', 'with --sample: only the most probable tokens that hold p together', probability)
    .option('--seed <n>', 'with --sample: seed of the random numbers (default: 1)', integer)
    .option(
      '--language-model <folder>',
      'a language model of the same target vocabulary that has a say in every step (shallow fusion)',
    )
    .option(
      '--language-model-weight <x>',
      'of its log-probability beside that of the translation model (default: 0.1)',
      nonNegativeNumber,
    )
    .option(
      '--batch-size <n>',
      'sentences translated at once; changes speed and memory only',
      positiveInteger,
    );
}

/** What {@link searchCommand} collects. */
export interface SearchFlags {
  readonly beam?: number;
  readonly lengthPenalty?: number;
  readonly coveragePenalty?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxRatio?: number;
  readonly forbidUnknown?: true;
  readonly stop?: 'count' | 'bound';
  readonly sample?: true;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly languageModel?: string;
  readonly languageModelWeight?: number;
}

/**
 * The search that the flags ask for.
 *
 * @throws DragomanError `usage` for a flag without effect, or flags that exclude each other.
 */
export function searchOptions(flags: SearchFlags): SearchOptions {
  const { temperature, topK, topP, seed } = flags;
  const sampling = { temperature, topK, topP, seed };
  const ranking = {
    beam: flags.beam,
    lengthPenalty: flags.lengthPenalty,
    coveragePenalty: flags.coveragePenalty,
    stop: flags.stop,
  };
  if (flags.sample) refuse(ranking, 'has no meaning with --sample: samples are drawn, not ranked');
  else refuse(sampling, 'needs --sample');
  const { minLength, maxLength, maxRatio, forbidUnknown } = flags;
  if (minLength !== undefined && maxLength !== undefined && maxLength < minLength) {
    throw new DragomanError(
      'usage',
      `--max-length: expected at least --min-length (${minLength}), got ${maxLength}`,
    );
  }
  const lengths = { minLength, maxLength, maxRatio, forbidUnknown };
  return flags.sample ? { ...lengths, sample: sampling } : { ...lengths, ...ranking };
}

/** The language model that the flags name, as an option of loading. Throws `usage` for a weight without one. */
export function fusionOptions({ languageModel: folder, languageModelWeight: weight }: SearchFlags): {
  languageModel?: FusionOptions;
} {
  if (folder !== undefined) return { languageModel: { folder, weight } };
  refuse({ languageModelWeight: weight }, 'needs --language-model');
  return {};
}

/** Refuses every flag of a search where nothing is searched. */
export function refuseSearch(flags: SearchFlags & { readonly batchSize?: number }, why: string): void {
  const { beam, lengthPenalty, coveragePenalty, minLength, maxLength, maxRatio, forbidUnknown, stop } = flags;
  const { sample, temperature, topK, topP, seed, batchSize, languageModel, languageModelWeight } = flags;
  refuse({ beam, lengthPenalty, coveragePenalty, minLength, maxLength, maxRatio, forbidUnknown, stop }, why);
  refuse({ sample, temperature, topK, topP, seed, batchSize, languageModel, languageModelWeight }, why);
}
