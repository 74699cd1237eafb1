import { Argument, Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import { BLEU_SMOOTHINGS } from '../metrics/bleu.js';
import { BLEU_TOKENIZERS, bleuTokenizerName } from '../metrics/bleu-tokenizer.js';
import { lengthClasses } from '../metrics/by-length.js';
import { trimTrailingWhitespace } from '../metrics/python-string.js';
import { METRIC_UNITS } from '../metrics/units.js';
import { nameOf } from '../text/input.js';
import { nonNegativeNumber, positiveInteger, refuse, wholeNumber } from './arguments.js';
import { printScoresByLength } from './evaluate-by-length.js';
import { evaluateLanguageModel } from './evaluate-language-model.js';
import {
  checkFiles,
  checkLengths,
  checkModel,
  evaluationOptions,
  measureOptions,
} from './evaluate-options.js';
import { printCorpusScores, printSentenceScores, type System } from './evaluation.js';
import { announceInput, readAll } from './lines.js';
import { gauges, heeds, METRIC_NAMES, type MetricName } from './measure.js';
import { isLanguageModel } from './model-kind.js';
import { openOutput } from './output.js';
import {
  fusionOptions,
  refuseSearch,
  type SearchFlags,
  searchCommand,
  searchOptions,
} from './search-options.js';
import type { Terminal } from './terminal.js';
import { translateLines } from './translate-lines.js';

const DEFAULT_METRICS: readonly MetricName[] = ['bleu', 'chrf', 'accuracy', 'error-rate'];

const HELP = `
Three uses:
  A model is given: it translates --source, and the translations are measured. The options of the search apply.
  --hypothesis is given: translations of any system are measured; no model, no engine. Several files are several
  systems, in one table; the first is the baseline of --paired-bs and --paired-ar.
  A language model is given: its perplexity on --reference is measured.

The figures and signatures are those of sacreBLEU 2.6. Files may be gzipped; - is standard input. --metric and
--tokenizer are other names of --metrics and --tokenize. The model folders come before --reference FILE…

Examples:
  dragoman evaluate models/vscode-ui --source test.en --reference test.de
  dragoman evaluate --hypothesis system.de --reference a.de b.de --metrics bleu chrf ter --confidence
  dragoman evaluate models/lm-de --reference test.de
  dragoman evaluate --hypothesis old.de new.de --reference test.de --metrics bleu --paired-bs
  dragoman evaluate --hypothesis old.de new.de -r test.de -s test.en -m bleu --by-length 8,12,16,20 --plot length.svg
  some-system < test.en | dragoman evaluate --hypothesis - --reference test.de --metrics bleu --score-only`;

/** `dragoman evaluate`: measures translations, a model's or anyone's, against references. */
export function evaluateCommand(terminal: Terminal) {
  return searchCommand('evaluate')
    .description('measure translations against references: those of a model, or those in files')
    .addArgument(new Argument('[model...]', 'model folders; several are an ensemble; or a language model'))
    .option('-s, --source <file>', 'what the model shall translate; - is standard input')
    .option('--hypothesis <file...>', 'instead of a model: translations of any system; several are compared')
    .requiredOption('-r, --reference <file...>', 'references; several files are several references of a line')
    .addOption(
      new Option(
        '-m, --metrics <name...>',
        `what to measure (default: ${DEFAULT_METRICS.join(', ')})`,
      ).choices(METRIC_NAMES),
    )
    .addOption(new Option('--metric <name...>').choices(METRIC_NAMES).hideHelp())
    .option('--lowercase', 'compare without case; TER does so anyway')
    .option('--tokenize <name>', `of BLEU: ${BLEU_TOKENIZERS.join(', ')} (default: 13a)`, bleuTokenizerName)
    .addOption(new Option('--tokenizer <name>').argParser(bleuTokenizerName).hideHelp())
    .addOption(
      new Option('--smooth <method>', 'of BLEU, for orders without a match (default: exp)').choices(
        BLEU_SMOOTHINGS,
      ),
    )
    .option(
      '--smooth-value <x>',
      'with --smooth floor (default: 0.1) or add-k (default: 1)',
      nonNegativeNumber,
    )
    .option('--order <n>', 'longest n-gram of BLEU (default: 4)', positiveInteger)
    .option('--effective-order', 'BLEU: leave out the orders that the translations are too short for')
    .option('--chrf-char-order <n>', 'longest character n-gram of chrF (default: 6)', wholeNumber)
    .option('--chrf-word-order <n>', 'longest word n-gram of chrF (default: 0; chrf++ has 2)', wholeNumber)
    .option('--chrf-beta <n>', 'weight of recall against precision in chrF (default: 2)', positiveInteger)
    .option('--chrf-whitespace', 'count whitespace in the character n-grams of chrF')
    .option('--chrf-eps-smoothing', 'chrF as chrF++.py, NLTK and Moses compute it')
    .option('--ter-case-sensitive', 'TER: keep case apart')
    .option('--ter-normalized', 'TER: split off punctuation')
    .option('--ter-no-punct', 'TER: remove punctuation')
    .option('--ter-asian-support', 'TER: the same two for East Asian text')
    .addOption(new Option('--unit <name>', 'what accuracy and error rate count').choices(METRIC_UNITS))
    .option('--empty-is-none', 'an empty line of a reference file means that the line has no reference there')
    .option('--sentence-level', 'a line for each sentence instead of one for all')
    .option(
      '--by-length <words>',
      'short and long sentences apart, as 8,12,16: the most words of each class, in --source or else the reference',
      (text: string) => text.split(',').map(positiveInteger),
    )
    .option('--plot <file.svg>', 'with --by-length: draw it, one metric, a line for each system')
    .option('--overwrite', 'replace the file of --plot if it exists')
    .option('--confidence', '95 % intervals by bootstrap resampling')
    .option('--paired-bs', 'test each system against the first: paired bootstrap resampling')
    .option('--paired-ar', 'test each system against the first: paired approximate randomization')
    .option(
      '--resamples <n>',
      'resamples (default: 1000), or trials of --paired-ar (default: 10000)',
      positiveInteger,
    )
    .option('--resampling-seed <n>', 'seed of the resamples (default: 12345)', wholeNumber)
    .option('-w, --width <n>', 'decimals of the scores (default: 2)', wholeNumber)
    .option('--short', 'short signatures')
    .option('--score-only', 'print the figures without names and signatures')
    .addOption(
      new Option('--format <name>', 'of the result')
        .choices(['text', 'json'] as const)
        .default('text' as const),
    )
    .addHelpText('after', HELP)
    .action(async (folders, options) => {
      if (options.hypothesis === undefined && (await isLanguageModel(folders))) {
        await evaluateLanguageModel(terminal, folders[0]!, options);
        return;
      }
      const chosen = [...(options.metrics ?? []), ...(options.metric ?? [])];
      const metrics = chosen.length > 0 ? chosen : DEFAULT_METRICS;
      const { hypothesis, tokenizer, sentenceLevel } = options;
      if (options.tokenize !== undefined) refuse({ tokenizer }, 'is another name of --tokenize: give one');
      const tokenize = options.tokenize ?? tokenizer;
      const ofSentences = sentenceLevel && heeds(metrics, 'effectiveOrder') ? true : undefined;
      const effectiveOrder = options.effectiveOrder ?? ofSentences;
      const used = gauges(metrics, measureOptions(metrics, { ...options, tokenize, effectiveOrder }));
      const evaluation = evaluationOptions(options, {
        systems: hypothesis?.length ?? 1,
        metrics: used.length,
      });

      if (hypothesis !== undefined) {
        if (folders.length > 0) {
          throw new DragomanError('usage', 'expected a model or --hypothesis, got both');
        }
        const { source } = options;
        if (options.byLength === undefined)
          refuse({ source }, 'has a meaning with --hypothesis only for --by-length');
        refuseSearch(options, 'has no meaning with --hypothesis');
      }
      const { byLength: bounds } = options;
      if (bounds !== undefined) lengthClasses([], bounds);
      const plot =
        options.plot === undefined ? undefined : await openOutput(options.plot, terminal, options.overwrite);
      try {
        const corpus =
          hypothesis === undefined
            ? await translated(terminal, folders, options)
            : await written(terminal, { ...options, hypothesis });
        const { systems, references } = corpus;
        if (bounds !== undefined) {
          const counted = { text: corpus.source ?? references[0]!, bounds };
          await printScoresByLength(terminal, used, systems, references, counted, evaluation, plot);
        } else if (sentenceLevel) {
          await printSentenceScores(terminal, used, systems[0]!, references, evaluation);
        } else {
          await printCorpusScores(terminal, used, systems, references, evaluation);
        }
      } finally {
        plot?.abandon();
      }
    });
}

/** What is measured: translations, their references, and the source where it is there. */
interface Corpus {
  readonly systems: readonly System[];
  readonly references: readonly (readonly string[])[];
  readonly source?: readonly string[];
}

/** The corpus that a model translates. */
async function translated(
  terminal: Terminal,
  folders: readonly string[],
  options: SearchFlags & {
    readonly batchSize?: number;
    readonly source?: string;
    readonly reference: readonly string[];
  },
): Promise<Corpus> {
  const file = await checkModel(folders, options);
  checkFiles([file], options.reference);
  const references = await readReferences(terminal, options.reference);
  announceInput(file, terminal);
  const source = await readAll(file);
  checkLengths(references, options.reference, source.length, file);
  const search = { ...searchOptions(options), batchSize: options.batchSize };
  const hypotheses = await translateLines(terminal, folders, source, search, fusionOptions(options));
  return { systems: [{ name: folders.join(' + '), hypotheses }], references, source };
}

/** The corpus that lies in files. */
async function written(
  terminal: Terminal,
  options: {
    readonly hypothesis: readonly string[];
    readonly reference: readonly string[];
    readonly source?: string;
  },
): Promise<Corpus> {
  const { hypothesis, reference } = options;
  checkFiles(hypothesis, options.source === undefined ? reference : [...reference, options.source]);
  const references = await readReferences(terminal, reference);
  const systems: System[] = [];
  for (const file of hypothesis) {
    const hypotheses = await readTrimmed(file, terminal);
    checkLengths(references, reference, hypotheses.length, file);
    systems.push({ name: nameOf(file), hypotheses });
  }
  if (options.source === undefined) return { systems, references };
  const source = await readTrimmed(options.source, terminal);
  checkLengths(references, reference, source.length, options.source);
  return { systems, references, source };
}

async function readReferences(terminal: Terminal, files: readonly string[]): Promise<string[][]> {
  const references: string[][] = [];
  for (const file of files) references.push(await readTrimmed(file, terminal));
  return references;
}

/** Lines without trailing whitespace, as sacreBLEU reads them. */
async function readTrimmed(file: string, terminal: Terminal): Promise<string[]> {
  announceInput(file, terminal);
  return (await readAll(file)).map(trimTrailingWhitespace);
}
