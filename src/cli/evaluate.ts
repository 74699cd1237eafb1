import { Argument, Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import { BLEU_TOKENIZERS } from '../metrics/bleu-tokenizer.js';
import { METRIC_UNITS } from '../metrics/units.js';
import { collect, refuse } from './arguments.js';
import { readAll } from './lines.js';
import { heeds, METRIC_NAMES, type MeasureOptions, type MetricName, measure } from './measure.js';
import { refuseSearch, searchCommand, searchOptions } from './search-options.js';
import type { Terminal } from './terminal.js';
import { translateLines } from './translate-lines.js';

const DEFAULT_METRICS: readonly MetricName[] = ['bleu', 'chrf', 'accuracy', 'error-rate'];

/** `dragoman evaluate`: measures translations, a model's or anyone's, against references. */
export function evaluateCommand(terminal: Terminal) {
  return searchCommand('evaluate')
    .description('measure translations against references: those of a model, or those in a file')
    .addArgument(new Argument('[model...]', 'model folders; several are an ensemble'))
    .option('-s, --source <file>', 'what the model shall translate; - is standard input')
    .option('--hypothesis <file>', 'instead of a model: translations of any system')
    .requiredOption(
      '-r, --reference <file>',
      'references; give it several times for several references',
      collect,
    )
    .addOption(
      new Option(
        '-m, --metric <name...>',
        `what to measure (default: ${DEFAULT_METRICS.join(', ')})`,
      ).choices(METRIC_NAMES),
    )
    .option('--lowercase', 'compare without case')
    .addOption(new Option('--tokenizer <name>', 'of BLEU').choices(BLEU_TOKENIZERS))
    .addOption(new Option('--unit <name>', 'what accuracy and error rate count').choices(METRIC_UNITS))
    .addOption(
      new Option('--format <name>', 'of the result')
        .choices(['text', 'json'] as const)
        .default('text' as const),
    )
    .addHelpText(
      'after',
      `
Examples:
  dragoman evaluate models/vscode-ui --source test.en --reference test.de
  dragoman evaluate --hypothesis system.de --reference a.de --reference b.de --metric bleu`,
    )
    .action(async (folders, options) => {
      const { source, hypothesis, batchSize, lowercase, tokenizer, unit, format } = options;
      const metrics = options.metric ?? DEFAULT_METRICS;
      for (const [name, value] of Object.entries({ lowercase, tokenizer, unit })) {
        if (!heeds(metrics, name as keyof MeasureOptions))
          refuse({ [name]: value }, 'changes none of these metrics');
      }
      if (folders.length > 0 && hypothesis !== undefined) {
        throw new DragomanError('usage', 'expected a model or --hypothesis, got both');
      }
      const references = await Promise.all(options.reference.map(readAll));
      let hypotheses: string[];
      if (hypothesis !== undefined) {
        refuse({ source }, 'has no meaning with --hypothesis');
        refuseSearch(options, 'has no meaning with --hypothesis');
        hypotheses = await readAll(hypothesis);
      } else {
        if (folders.length === 0)
          throw new DragomanError('usage', 'expected a model folder, or --hypothesis FILE');
        if (source === undefined) throw new DragomanError('usage', 'expected --source FILE beside the model');
        hypotheses = await translateLines(terminal, folders, await readAll(source), {
          ...searchOptions(options),
          batchSize,
        });
      }
      for (const [i, set] of references.entries()) {
        const file = options.reference[i];
        if (set.length !== hypotheses.length) {
          const other = hypothesis ?? source;
          throw new DragomanError(
            'input',
            `${file}: expected ${hypotheses.length} lines as in ${other}, got ${set.length}`,
          );
        }
      }
      const measured = measure(metrics, hypotheses, references, { lowercase, tokenizer, unit });
      if (format === 'json')
        await terminal.print(
          JSON.stringify(
            measured.map((one) => one.json),
            null,
            1,
          ),
        );
      else for (const { line } of measured) await terminal.print(line);
    });
}
