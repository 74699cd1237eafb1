import { Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import { NBEST_FORMATS, type SourcedList } from '../search/nbest.js';
import type { Weights } from '../search/weights.js';
import { collect, nonNegativeNumber, refuse } from './arguments.js';
import { measureOptions } from './evaluate-options.js';
import { gauges, METRIC_NAMES } from './measure.js';
import { openOutput, withOutput } from './output.js';
import {
  checkListFlags,
  comparing,
  givenWeights,
  listCommand,
  loadFeatures,
  modelCount,
  openLists,
  referenceReader,
} from './rerank-list.js';
import { referencesOf, sayReport } from './rerank-measure.js';
import { tuneCommand } from './rerank-tune.js';
import type { Terminal } from './terminal.js';

/** `dragoman rerank`: n-best lists of any system in, best first out. */
export function rerankCommand(terminal: Terminal) {
  return (
    listCommand('rerank')
      .description('reorder n-best lists of any system by a weighted sum of features, best first')
      .option(
        '-w, --weights <list>',
        'a file of `rerank tune`, or name=value,name=value of the features model, reverse, lm, length, total (as given) and any in the list (default: model=1,reverse=1,lm=1)',
      )
      .addOption(
        new Option(
          '--mbr <metric>',
          'minimum Bayes risk: order by the mean of this metric against all candidates of the list',
        ).choices(METRIC_NAMES),
      )
      .option(
        '--mbr-scale <x>',
        'with --mbr: factor of the weighted sum, of which candidates have exp as their probability (default: 1)',
        nonNegativeNumber,
      )
      .addOption(
        new Option(
          '-f, --format <name>',
          'of the output; text: the best hypothesis a line (default: as the input)',
        ).choices([...NBEST_FORMATS, 'text' as const]),
      )
      .option(
        '-r, --reference <file>',
        'report the score of the first hypotheses before and after, and the oracle; may be repeated',
        collect,
      )
      .addOption(
        new Option('-m, --metrics <name...>', 'of that report (default: bleu)').choices(METRIC_NAMES),
      )
      .option('-o, --output <file>', 'where to; .gz is packed', '-')
      .option('--overwrite', 'replace an output file that exists')
      .addHelpText(
        'after',
        `
Examples:
  dragoman rerank models/vscode-ui --source test.en < nbest.txt > reranked.txt
  dragoman rerank models/en-de --reverse models/de-en --source test.en --nbest nbest.txt \\
    --weights total=1,model=0.5,reverse=0.5,length=0.2 --reference test.de --format text
  dragoman rerank models/en-de --language-model models/lm-de --source test.en --nbest nbest.txt \\
    --weights model=1,lm=0.1,length=0.3
  dragoman rerank tune models/en-de --source dev.en --nbest dev.nbest --reference dev.de -o weights.yaml
  dragoman rerank models/en-de --source test.en --nbest test.nbest --weights weights.yaml
  dragoman rerank --nbest samples.jsonl --mbr chrf --format text

A model in a folder called tune is ./tune.`,
      )
      .action(async (folders, options) => {
        const { reference = [], tokenize, tokenizer, lowercase, unit, metrics, resamples } = options;
        const { mbr, mbrScale, overwrite } = options;
        checkListFlags(folders, options);
        if (reference.length === 0)
          refuse({ metrics, tokenize, tokenizer, lowercase, unit, resamples }, 'needs --reference');
        const names = [...new Set(metrics ?? (['bleu'] as const))];
        const measured = gauges(names, measureOptions(names, comparing(options)));
        if (mbr === undefined) refuse({ mbrScale }, 'needs --mbr');
        const models = modelCount(folders, options);
        if (models === 0 && options.weights === undefined) {
          refuse({ mbrScale }, 'needs a model or --weights: without them every candidate counts the same');
          if (mbr === undefined)
            throw new DragomanError('usage', 'expected a model folder, --weights or --mbr, got none of them');
        }
        const given = options.weights === undefined ? null : await givenWeights(options.weights);

        const { nbestFormat, nbestFormatOf } = await import('../search/nbest.js');
        const { checkWeights, requireKnownFeatures } = await import('../search/weights.js');
        const { formula } = await import('../search/weights-file.js');
        const { defaultWeights, featureStream, reorder } = await import('../search/rerank.js');
        const { minimumBayesRisk } = await import('../search/mbr.js');
        const { RerankEvaluation } = await import('../search/rerank-report.js');
        if (given) checkWeights(given.weights);
        const outputFormat = options.format ?? options.nbestFormat ?? nbestFormatOf(options.nbest);
        const evaluations = measured.map((one) => new RerankEvaluation(one.metric));
        const output = await openOutput(options.output, terminal, overwrite);
        await withOutput(output, async ({ print }) => {
          const known = given?.file ? new Set(Object.keys(given.weights)) : null;
          const { features, dispose } = await loadFeatures(folders, options, known);
          try {
            const weights = given?.weights ?? (models === 0 ? null : defaultWeights(features));
            const order = orderBy(weights, mbr);
            terminal.say(order.saying);
            const references = referenceReader(reference);
            const write =
              outputFormat === 'text'
                ? (list: SourcedList) => [list.entries[0]?.text ?? '']
                : nbestFormat(outputFormat).writer();
            let lists = 0;
            let empty = 0;
            for await (const list of featureStream(
              await openLists(options, terminal, reference[0]),
              features,
            )) {
              lists++;
              if (list.entries.length === 0) empty++;
              if (known) requireKnownFeatures(list, known, given!.file!);
              const ordered = order.reorder(list);
              for (const line of write(ordered)) await print(line);
              if (reference.length === 0) continue;
              const lines = await references.next(list);
              for (const [i, evaluation] of evaluations.entries()) {
                evaluation.add(list, ordered, referencesOf(measured[i]!, lines, list.id));
              }
            }
            if (empty > 0) terminal.say(`${empty} of ${lists} source lines have no candidates`);
            if (reference.length === 0) return;
            await references.end(lists);
            for (const [i, evaluation] of evaluations.entries()) {
              sayReport(terminal, measured[i]!, evaluation.report({ resamples }), resamples);
            }
            const { changed, sentences } = evaluations[0]!;
            terminal.say(`the first hypothesis changed in ${changed} of ${sentences} sentences`);
          } finally {
            dispose();
          }

          function orderBy(
            weights: Weights | null,
            utility: typeof mbr,
          ): { saying: string; reorder(list: SourcedList): SourcedList } {
            if (utility === undefined) {
              const sum = weights ?? {};
              return { saying: `score = ${formula(sum)}`, reorder: (list) => reorder(list, sum) };
            }
            // Of single sentences, most of which are too short for some order of BLEU.
            const { metric } = gauges([utility], { effectiveOrder: true })[0]!;
            const scale = mbrScale ?? 1;
            const saying =
              weights === null
                ? `minimum Bayes risk by ${metric.name}: every candidate counts the same`
                : `minimum Bayes risk by ${metric.name}: ln P = ${scale} (${formula(weights)}) + a constant`;
            return {
              saying,
              reorder: (list) => minimumBayesRisk(list, { utility: metric, weights, scale }),
            };
          }
        });
      })
      // Options behind `tune` are tune's, even where both have them.
      .enablePositionalOptions()
      .helpCommand(false)
      .addCommand(tuneCommand(terminal))
  );
}
