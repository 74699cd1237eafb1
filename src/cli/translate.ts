import { Option } from '@commander-js/extra-typings';
import type { EnsembleMean } from '../search/ensemble.js';
import type { TranslationFormatName } from '../search/format.js';
import { positiveInteger } from './arguments.js';
import { announceInput } from './lines.js';
import { openOutput, withOutput } from './output.js';
import { fusionOptions, searchCommand, searchOptions } from './search-options.js';
import type { Terminal } from './terminal.js';

// Repeated here because the modules that know them load TensorFlow.js, for which `--help` should not wait.
const FORMATS: Readonly<Record<TranslationFormatName, true>> = { text: true, jsonl: true, moses: true };
const MEANS: Readonly<Record<EnsembleMean, true>> = { probability: true, 'log-probability': true };

/** `dragoman translate`: source lines in, translations out, line by line. */
export function translateCommand(terminal: Terminal) {
  return searchCommand('translate')
    .description('translate lines: output line i is the translation of input line i')
    .argument('<model...>', 'model folders; several are an ensemble')
    .option('-i, --input <file>', 'source lines; .gz is unpacked', '-')
    .option('-o, --output <file>', 'where to; .gz is packed', '-')
    .option('--overwrite', 'replace an output file that exists')
    .option(
      '-n, --nbest <n>',
      'hypotheses (or samples) for each line; needs jsonl or moses',
      positiveInteger,
      1,
    )
    .addOption(
      new Option('-f, --format <name>', 'text: the translation; jsonl: everything; moses: an n-best list')
        .choices(Object.keys(FORMATS) as TranslationFormatName[])
        .default('text' as const),
    )
    .option(
      '-a, --alignments',
      'also say which source token each target token attends to most (Pharaoh: 0-0 1-2)',
    )
    .addOption(
      new Option('--mean <kind>', 'how the models of an ensemble agree (default: probability)').choices(
        Object.keys(MEANS) as EnsembleMean[],
      ),
    )
    .addHelpText(
      'after',
      `
Examples:
  dragoman translate models/vscode-ui < source.txt > target.txt
  dragoman translate models/vscode-ui --beam 10 --nbest 10 --format moses -i source.txt -o nbest.txt
  dragoman translate models/a models/b models/c < source.txt        an ensemble
  dragoman translate models/en-de --language-model models/lm-de --language-model-weight 0.2 < source.txt
  echo 'Open File' | dragoman translate models/vscode-ui --sample --nbest 5 --format jsonl --seed 7`,
    )
    .action(async (folders, options) => {
      const { input, nbest, format, alignments, batchSize, mean, overwrite } = options;
      const fusion = fusionOptions(options);
      const search = { ...searchOptions(options), nbest, alignment: alignments, batchSize };
      const { translationFormatter } = await import('../search/format.js');
      const { resolveSearchOptions } = await import('../search/options.js');
      // Both say what is wrong before a model is loaded for nothing.
      const formatter = translationFormatter(format, nbest);
      const { batchSize: _, ...checked } = search;
      resolveSearchOptions(checked);
      const output = await openOutput(options.output, terminal, overwrite);
      await withOutput(output, async ({ print }) => {
        const { Translator } = await import('../search/translator.js');
        const translator = await Translator.load(folders, { mean, ...fusion });
        announceInput(input, terminal);
        const { readLines } = await import('../text/corpus.js');
        // Results on the screen are progress enough.
        const progress =
          terminal.stdout.isTTY && options.output === '-' ? null : terminal.progress('translated', null);
        let done = 0;
        try {
          for await (const translation of translator.translateStream(readLines(input), search)) {
            for (const line of formatter(translation)) await print(line);
            progress?.update(++done);
          }
        } finally {
          progress?.finish();
          translator.dispose();
        }
      });
    });
}
