import { Command, Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import { BLEU_TOKENIZERS } from '../metrics/bleu-tokenizer.js';
import type { NBestFormatName, SourcedList } from '../search/nbest.js';
import type { FeatureFunction, Weights } from '../search/rerank.js';
import type { Translator } from '../search/translator.js';
import { collect, refuse } from './arguments.js';
import { announceInput, readAll } from './lines.js';
import { openOutput, withOutput } from './output.js';
import type { Terminal } from './terminal.js';

// Repeated here because the modules that know them load TensorFlow.js, for which `--help` should not wait.
const FORMATS: Readonly<Record<NBestFormatName, true>> = { moses: true, jsonl: true, tsv: true };
const FORMAT_NAMES = Object.keys(FORMATS) as NBestFormatName[];

/** `dragoman rerank`: n-best lists of any system in, best first out. */
export function rerankCommand(terminal: Terminal) {
  return new Command('rerank')
    .description('reorder n-best lists of any system by a weighted sum of features, best first')
    .argument('<model...>', 'model folders: ln P(target | source) of each is a feature: model, model2, …')
    .requiredOption('-s, --source <file>', 'source lines; ids of the lists count them from 0')
    .option('-n, --nbest <file>', 'the n-best lists; - is standard input, .gz is unpacked', '-')
    .addOption(
      new Option('--nbest-format <name>', "of the input (default: by its name's ending, else moses)").choices(
        FORMAT_NAMES,
      ),
    )
    .option(
      '--reverse <model>',
      'a model of the other direction: ln P(source | target), feature reverse',
      collect,
    )
    .option(
      '-w, --weights <list>',
      'name=value,name=value of the features model, reverse, length, total (as given) and any in the list (default: model=1,reverse=1)',
    )
    .addOption(
      new Option(
        '-f, --format <name>',
        'of the output; text: the best hypothesis a line (default: as the input)',
      ).choices([...FORMAT_NAMES, 'text' as const]),
    )
    .option(
      '-r, --reference <file>',
      'report BLEU of the first hypotheses before and after; may be repeated',
      collect,
    )
    .addOption(new Option('--tokenizer <name>', 'of that BLEU (default: 13a)').choices(BLEU_TOKENIZERS))
    .option('-o, --output <file>', 'where to; .gz is packed', '-')
    .option('--overwrite', 'replace an output file that exists')
    .addHelpText(
      'after',
      `
Examples:
  dragoman rerank models/vscode-ui --source test.en < nbest.txt > reranked.txt
  dragoman rerank models/en-de --reverse models/de-en --source test.en --nbest nbest.txt \\
    --weights total=1,model=0.5,reverse=0.5,length=0.2 --reference test.de --format text`,
    )
    .action(async (folders, options) => {
      const { source, nbest, reference = [], tokenizer, overwrite } = options;
      if (reference.length === 0) refuse({ tokenizer }, 'needs --reference');
      if (nbest === '-' && source === '-') {
        throw new DragomanError(
          'usage',
          'standard input (-) can be read only once: name a file for --source or --nbest',
        );
      }
      const search = await import('../search/rerank.js');
      const { nbestFormat, nbestFormatOf, readNBest, withSources } = await import('../search/nbest.js');
      const weights = options.weights === undefined ? undefined : search.parseWeights(options.weights);
      const inputFormat = options.nbestFormat ?? nbestFormatOf(nbest);
      const outputFormat = options.format ?? inputFormat;
      const references = await Promise.all(reference.map(readAll));
      const output = await openOutput(options.output, terminal, overwrite);
      await withOutput(output, async ({ print }) => {
        const { features, dispose } = await loadFeatures(folders, options.reverse ?? []);
        try {
          sayFormula(terminal, weights ?? search.defaultWeights(features));
          announceInput(nbest, terminal);
          const { readLines } = await import('../text/corpus.js');
          const { nameOf } = await import('../text/input.js');
          const lists = readNBest(readLines(nbest), { format: inputFormat, file: nameOf(nbest) });
          const before: string[] = [];
          const after: string[] = [];
          const remembering = tap(withSources(lists, readLines(source)), (list) =>
            before.push(firstText(list)),
          );
          const write =
            outputFormat === 'text'
              ? (list: SourcedList) => [firstText(list)]
              : nbestFormat(outputFormat).writer();
          for await (const list of search.rerankStream(remembering, features, weights)) {
            after.push(firstText(list));
            for (const line of write(list)) await print(line);
          }
          if (references.length > 0) {
            const { formatBleu } = await import('../metrics/bleu.js');
            const report = search.compareBleu(before, after, references, { tokenizer });
            terminal.say(`before: ${formatBleu(report.before)}`);
            terminal.say(`after:  ${formatBleu(report.after)}`);
            terminal.say(
              `the first hypothesis changed in ${report.changed} of ${report.sentences} sentences`,
            );
          }
        } finally {
          dispose();
        }
      });
    });
}

/** The features that models give: `model`, `model2`, …, `reverse`, `reverse2`, … and `length` (by the first model). */
async function loadFeatures(
  folders: readonly string[],
  reverses: readonly string[],
): Promise<{ features: FeatureFunction[]; dispose(): void }> {
  const { Translator } = await import('../search/translator.js');
  const { lengthFeature, modelFeature, reverseFeature } = await import('../search/features.js');
  const loaded: Translator[] = [];
  const dispose = (): void => {
    for (const translator of loaded) translator.dispose();
  };
  const load = async (folder: string): Promise<Translator> => {
    const translator = await Translator.load(folder);
    loaded.push(translator);
    return translator;
  };
  const numbered = (name: string, i: number): string => (i === 0 ? name : `${name}${i + 1}`);
  try {
    const features: FeatureFunction[] = [];
    for (const [i, folder] of folders.entries())
      features.push(modelFeature(await load(folder), numbered('model', i)));
    for (const [i, folder] of reverses.entries()) {
      features.push(reverseFeature(await load(folder), numbered('reverse', i)));
    }
    const [first] = loaded;
    if (first) features.push(lengthFeature(first));
    return { features, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function sayFormula(terminal: Terminal, weights: Weights): void {
  const terms = Object.entries(weights).flatMap(([name, weight]) =>
    weight === 0 ? [] : [`${weight} ${name}`],
  );
  terminal.say(`score = ${terms.join(' + ') || '0'}`);
}

function firstText(list: SourcedList): string {
  return list.entries[0]?.text ?? '';
}

async function* tap<T>(items: AsyncIterable<T>, look: (item: T) => void): AsyncGenerator<T> {
  for await (const item of items) {
    look(item);
    yield item;
  }
}
