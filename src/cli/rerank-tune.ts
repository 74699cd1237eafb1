import { Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import { collect, integer, wholeNumber } from './arguments.js';
import { commandLine } from './command-line.js';
import { measureOptions } from './evaluate-options.js';
import { gauges, METRIC_NAMES } from './measure.js';
import { openOutput, withOutput } from './output.js';
import {
  checkListFlags,
  comparing,
  givenWeights,
  linesTogether,
  listCommand,
  loadFeatures,
  openLists,
} from './rerank-list.js';
import { referencesOf, sayReport } from './rerank-measure.js';
import type { Terminal } from './terminal.js';

/** `dragoman rerank tune`: learns the weights that `dragoman rerank` uses. */
export function tuneCommand(terminal: Terminal) {
  return listCommand('tune')
    .description(
      'learn the weights of features on n-best lists with references (minimum error rate training)',
    )
    .requiredOption(
      '-r, --reference <file>',
      'references of the source lines; give it several times for several references',
      collect,
    )
    .addOption(
      new Option('--objective <metric>', 'what the weights shall make best (default: bleu)').choices(
        METRIC_NAMES,
      ),
    )
    .option('--features <name,name>', 'which may get a weight, all others 0 (default: every one there is)')
    .option(
      '--initial <list>',
      'where the first run begins: weights as of rerank --weights (default: model=1,reverse=1,lm=1; without models total=1)',
    )
    .option('--restarts <n>', 'further runs from random weights (default: 20)', wholeNumber)
    .option(
      '--random-directions <n>',
      'searched in each pass besides the axis of every feature (default: as many as features)',
      wholeNumber,
    )
    .option('--seed <n>', 'of the random weights and directions (default: 1)', integer)
    .option('-o, --output <file>', 'the weights file', '-')
    .option('--overwrite', 'replace an output file that exists')
    .addHelpText(
      'after',
      `
Examples:
  dragoman rerank tune models/en-de --reverse models/de-en --source dev.en --nbest dev.nbest \\
    --reference dev.de --output weights.yaml
  dragoman rerank tune --nbest dev.nbest --reference dev.de --objective chrf > weights.yaml

The report on standard error is about the lists the weights were learned on; \`dragoman rerank --weights
weights.yaml --reference\` on other lists tells what they are worth. See docs/reranking.md.`,
    )
    .action(async (folders, options, command) => {
      const { reference, restarts, randomDirections, seed, resamples, overwrite } = options;
      checkListFlags(folders, options);
      const objective = options.objective ?? 'bleu';
      const gauge = gauges([objective], measureOptions([objective], comparing(options)))[0]!;
      const given = command.parent?.options.find(
        (option) => command.parent?.getOptionValueSource(option.attributeName()) === 'cli',
      );
      if (given !== undefined) {
        throw new DragomanError(
          'usage',
          `expected the options of tune behind its name, got ${given.long} before`,
        );
      }
      const initial =
        options.initial === undefined ? undefined : (await givenWeights(options.initial)).weights;
      const chosen = options.features?.split(',').map((name) => name.trim());
      const { DEFAULT_RESTARTS, tune } = await import('../search/tune.js');
      const { formatWeightsFile } = await import('../search/weights-file.js');
      const { rounded } = await import('../search/nbest-fields.js');
      const { metric } = gauge;
      const output = await openOutput(options.output, terminal, overwrite);
      await withOutput(output, async ({ print }) => {
        const { features, dispose } = await loadFeatures(folders, options);
        const progress = terminal.progress('runs', 1 + (restarts ?? DEFAULT_RESTARTS));
        try {
          const references = async function* () {
            let id = 0;
            for await (const lines of linesTogether(reference)) yield referencesOf(gauge, lines, id++);
          };
          const result = await tune(
            await openLists(options, terminal, reference[0]),
            features,
            references(),
            {
              metric,
              features: chosen,
              initial,
              restarts,
              randomDirections,
              seed,
              bootstrap: { resamples },
              onRun: ({ run, to }) => progress.update(run + 1, `${metric.name} ${Math.abs(to).toFixed(2)}`),
            },
          );
          progress.finish();
          const { report, runs, constant, repeated, sentences, empty, candidates } = result;
          const without = empty === 0 ? '' : ` (${empty} without candidates)`;
          terminal.say(`${sentences} sentences${without}, ${candidates} candidates`);
          if (constant.length > 0) {
            terminal.say(
              `of no use, since no candidates of a sentence differ in them: ${constant.join(', ')}`,
            );
          }
          if (repeated.length > 0) {
            terminal.say(`of no use, since equal to an earlier feature everywhere: ${repeated.join(', ')}`);
          }
          const ends = runs.map(({ to }) => Math.abs(to)).toSorted((a, b) => a - b);
          terminal.say(
            `${runs.length} runs: ${metric.name} ${ends[0]!.toFixed(2)} to ${ends.at(-1)!.toFixed(2)}; ` +
              `with the initial weights ${Math.abs(runs[0]!.from).toFixed(2)}`,
          );
          sayReport(terminal, gauge, report, resamples);
          await print(
            formatWeightsFile({
              objective: `${metric.name}|${report.signature}`,
              development: {
                sentences,
                candidates,
                before: rounded(report.before.score),
                after: rounded(report.after.score),
                oracle: rounded(report.oracle.score),
              },
              command: commandLine(command),
              weights: result.weights,
            }).trimEnd(),
          );
        } finally {
          progress.finish();
          dispose();
        }
      });
    });
}
