import { Command, Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import type { TextPair } from '../search/translator.js';
import { refuse } from './arguments.js';
import { announceInput } from './lines.js';
import { openOutput, withOutput } from './output.js';
import type { Terminal } from './terminal.js';

const TABLES = ['tsv', 'csv', 'jsonl'] as const;

/** Where pairs come from, as flags. */
interface PairFlags {
  readonly source?: string;
  readonly target?: string;
  readonly tsv?: string;
  readonly csv?: string;
  readonly jsonl?: string;
  readonly sourceColumn?: string;
  readonly targetColumn?: string;
  readonly nbest?: string;
}

/** A pair, and the source line it belongs to, from 0. */
interface NumberedPair extends TextPair {
  readonly id: number;
}

/** `dragoman score`: how probable given translations are. */
export function scoreCommand(terminal: Terminal) {
  return new Command('score')
    .description(
      'score translations: the natural logarithm of P(target | source), one a line, in input order',
    )
    .argument('<model...>', 'model folders; several are an ensemble')
    .option('-s, --source <file>', 'source lines; - is standard input, .gz is unpacked')
    .option('-t, --target <file>', 'target lines, beside the source')
    .option('--tsv <file>', 'instead: a table with a header line, tabs between columns')
    .option('--csv <file>', 'instead: a CSV table with a header line')
    .option('--jsonl <file>', 'instead: a JSON object a line')
    .option('--source-column <name>', 'column or key of the source (default: source)')
    .option('--target-column <name>', 'column or key of the target (default: target)')
    .option(
      '--nbest <file>',
      'instead of --target: an n-best list (Moses; .tsv or .jsonl by its name), each scored',
    )
    .option('--normalize', 'divide each score by its number of target tokens, end of sentence counted')
    .option('--tokens', 'also the log-probability of each target token, end of sentence last')
    .addOption(
      new Option('-f, --format <name>', 'text: the score, and tokens after a tab; jsonl: everything by name')
        .choices(['text', 'jsonl'] as const)
        .default('text' as const),
    )
    .option('-o, --output <file>', 'where to; .gz is packed', '-')
    .option('--overwrite', 'replace an output file that exists')
    .addHelpText(
      'after',
      `
Examples:
  dragoman score models/vscode-ui --source test.en --target test.de
  dragoman score models/vscode-ui --tsv pairs.tsv --source-column en --target-column de --normalize
  dragoman score models/vscode-ui --source test.en --nbest other-system.nbest --tokens

The last line on standard error sums up: pairs, target tokens, perplexity.`,
    )
    .action(async (folders, options) => {
      const { format, tokens, normalize, overwrite } = options;
      if (format === 'jsonl')
        refuse({ normalize }, 'has no meaning with --format jsonl: both scores are in it');
      checkPairFlags(options);
      const output = await openOutput(options.output, terminal, overwrite);
      await withOutput(output, async ({ print }) => {
        const { Translator } = await import('../search/translator.js');
        const { ScoreSummary } = await import('../search/scorer.js');
        const { rounded } = await import('../search/nbest-fields.js');
        const translator = await Translator.load(folders);
        for (const file of [
          options.source,
          options.target,
          options.tsv,
          options.csv,
          options.jsonl,
          options.nbest,
        ]) {
          if (file !== undefined) announceInput(file, terminal);
        }
        const summary = new ScoreSummary();
        const progress =
          terminal.stdout.isTTY && options.output === '-' ? null : terminal.progress('scored', null);
        try {
          // Scores come in the order of the pairs, some of which are read ahead.
          const ids: number[] = [];
          const pairs = numbered(readScorePairs(options), ids);
          for await (const scored of translator.scoreStream(pairs)) {
            const id = ids.shift();
            const value = rounded(normalize ? scored.perToken : scored.score);
            const each = Array.from(scored.tokenScores, rounded);
            if (format === 'text') await print(tokens ? `${value}\t${each.join(' ')}` : String(value));
            else {
              const { score, perToken } = scored;
              const line = { id, score: rounded(score), perToken: rounded(perToken) };
              await print(
                JSON.stringify(tokens ? { ...line, tokens: scored.tokens, tokenScores: each } : line),
              );
            }
            summary.add(scored);
            progress?.update(summary.sentences);
          }
        } finally {
          progress?.finish();
          translator.dispose();
        }
        terminal.say(
          summary.sentences === 0
            ? 'no pairs'
            : `${summary.sentences} pairs, ${summary.tokens} target tokens, log-probability ` +
                `${summary.logProbability.toFixed(4)}, perplexity ${summary.perplexity.toFixed(4)}`,
        );
      });
    });
}

/** Exactly one way of giving pairs, and no flag of another. */
function checkPairFlags(flags: PairFlags): void {
  const { source, target, sourceColumn, targetColumn, nbest } = flags;
  const tables = TABLES.filter((kind) => flags[kind] !== undefined);
  const [table] = tables;
  if (tables.length > 1)
    throw new DragomanError('usage', `expected one table, got --${tables.join(' and --')}`);
  if (table !== undefined) {
    refuse({ source, target, nbest }, `has no meaning with --${table}: the pairs are in its columns`);
    return;
  }
  refuse({ sourceColumn, targetColumn }, 'needs --tsv, --csv or --jsonl');
  if (nbest !== undefined && target !== undefined) {
    throw new DragomanError('usage', 'expected --target or --nbest, got both');
  }
  if (source === undefined || (target === undefined && nbest === undefined)) {
    throw new DragomanError(
      'usage',
      'expected --source with --target or --nbest, or a table: --tsv, --csv or --jsonl',
    );
  }
}

async function* readScorePairs(flags: PairFlags): AsyncGenerator<NumberedPair> {
  const { readLines, readPairs } = await import('../text/corpus.js');
  const { source = '', target = '', nbest } = flags;
  if (nbest !== undefined) {
    const { nbestFormatOf, readNBest, withSources } = await import('../search/nbest.js');
    const { nameOf } = await import('../text/input.js');
    const lists = readNBest(readLines(nbest), { format: nbestFormatOf(nbest), file: nameOf(nbest) });
    for await (const list of withSources(lists, readLines(source))) {
      for (const entry of list.entries) yield { id: list.id, source: list.source, target: entry.text };
    }
    return;
  }
  const format = TABLES.find((kind) => flags[kind] !== undefined);
  const { sourceColumn = 'source', targetColumn = 'target' } = flags;
  const file = format === undefined ? undefined : flags[format];
  const pairs =
    file === undefined
      ? readPairs({ source, target }, '.')
      : readPairs({ file, format, source: sourceColumn, target: targetColumn }, '.');
  let id = 0;
  for await (const pair of pairs) yield { id: id++, source: pair.source, target: pair.target };
}

/** Passes pairs on and puts their ids aside. */
async function* numbered(pairs: AsyncIterable<NumberedPair>, ids: number[]): AsyncGenerator<TextPair> {
  for await (const { id, source, target } of pairs) {
    ids.push(id);
    yield { source, target };
  }
}
