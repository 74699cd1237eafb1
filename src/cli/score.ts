import { Command, Option } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import type { PairScore } from '../search/scored-stream.js';
import type { ScoreSummary } from '../search/scorer.js';
import type { TextPair } from '../search/translator.js';
import { refuse } from './arguments.js';
import { announceInput } from './lines.js';
import { isLanguageModel } from './model-kind.js';
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
      'score translations: the natural logarithm of P(target | source), one a line, in input order; with a language model, of P(target)',
    )
    .argument('<model...>', 'model folders; several are an ensemble; or a language model')
    .option('-s, --source <file>', 'source lines; - is standard input, .gz is unpacked')
    .option('-t, --target <file>', 'target lines, beside the source; alone with a language model')
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
  dragoman score models/lm-de --target test.de

The last line on standard error sums up: pairs, target tokens, perplexity (of a token, ends of sentences counted; with
a language model also of a word between white space, ends of sentences counted too).`,
    )
    .action(async (folders, options) => {
      const { format, tokens, normalize, overwrite } = options;
      if (format === 'jsonl')
        refuse({ normalize }, 'has no meaning with --format jsonl: both scores are in it');
      const oneSided = await isLanguageModel(folders);
      checkPairFlags(options, oneSided);
      const output = await openOutput(options.output, terminal, overwrite);
      await withOutput(output, async ({ print }) => {
        const { ScoreSummary } = await import('../search/scorer.js');
        const { rounded } = await import('../search/nbest-fields.js');
        const scorer = oneSided ? await loadTextScorer(folders[0]!) : await loadPairScorer(folders);
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
          const waiting: NumberedPair[] = [];
          const pairs = aside(readScorePairs(options, oneSided), waiting);
          for await (const scored of scorer.scoreStream(pairs)) {
            const { id, target } = waiting.shift()!;
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
            summary.add(scored, target);
            progress?.update(summary.sentences);
          }
        } finally {
          progress?.finish();
          scorer.dispose();
        }
        terminal.say(oneSided ? textSummary(summary) : pairSummary(summary));
      });
    });
}

/** What scores pairs; a language model sees their targets. */
interface PairScorer {
  scoreStream(pairs: AsyncIterable<TextPair>): AsyncIterable<PairScore>;
  dispose(): void;
}

async function loadPairScorer(folders: readonly string[]): Promise<PairScorer> {
  const { Translator } = await import('../search/translator.js');
  return await Translator.load(folders);
}

async function loadTextScorer(folder: string): Promise<PairScorer> {
  const { TextScorer } = await import('../search/text-scorer.js');
  const scorer = await TextScorer.load(folder);
  async function* targets(pairs: AsyncIterable<TextPair>): AsyncGenerator<string> {
    for await (const { target } of pairs) yield target;
  }
  return { scoreStream: (pairs) => scorer.scoreStream(targets(pairs)), dispose: () => scorer.dispose() };
}

function pairSummary(sum: ScoreSummary): string {
  if (sum.sentences === 0) return 'no pairs';
  const logProbability = sum.logProbability.toFixed(4);
  return `${sum.sentences} pairs, ${sum.tokens} target tokens, log-probability ${logProbability}, perplexity ${sum.perplexity.toFixed(4)}`;
}

function textSummary(sum: ScoreSummary): string {
  if (sum.sentences === 0) return 'no lines';
  const logProbability = sum.logProbability.toFixed(4);
  const perplexity = `perplexity ${sum.perplexity.toFixed(4)} a token, ${sum.wordPerplexity.toFixed(4)} a word`;
  return `${sum.sentences} lines, ${sum.tokens} tokens, ${sum.words} words, log-probability ${logProbability}, ${perplexity}`;
}

/** Exactly one way of giving pairs, or the text of a language model, and no flag of another. */
function checkPairFlags(flags: PairFlags, oneSided: boolean): void {
  const { source, target, sourceColumn, targetColumn, nbest } = flags;
  const tables = TABLES.filter((kind) => flags[kind] !== undefined);
  const [table] = tables;
  if (oneSided) refuse({ source, sourceColumn }, 'has no meaning with a language model, which has no source');
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
  if (oneSided) {
    if (target !== undefined || nbest !== undefined) return;
    throw new DragomanError(
      'usage',
      'expected --target or --nbest with a language model, or a table: --tsv, --csv or --jsonl',
    );
  }
  if (source === undefined || (target === undefined && nbest === undefined)) {
    throw new DragomanError(
      'usage',
      'expected --source with --target or --nbest, or a table: --tsv, --csv or --jsonl',
    );
  }
}

async function* readScorePairs(flags: PairFlags, oneSided: boolean): AsyncGenerator<NumberedPair> {
  const { readLines, readPairs } = await import('../text/corpus.js');
  const { source = '', target = '', nbest } = flags;
  if (nbest !== undefined) {
    const { nbestFormatOf, readNBest, withSources } = await import('../search/nbest.js');
    const { nameOf } = await import('../text/input.js');
    const lists = readNBest(readLines(nbest), { format: nbestFormatOf(nbest), file: nameOf(nbest) });
    for await (const list of withSources(lists, oneSided ? null : readLines(source))) {
      for (const entry of list.entries) yield { id: list.id, source: list.source, target: entry.text };
    }
    return;
  }
  const format = TABLES.find((kind) => flags[kind] !== undefined);
  const { targetColumn = 'target' } = flags;
  const sourceColumn = oneSided ? targetColumn : (flags.sourceColumn ?? 'source');
  const file = format === undefined ? undefined : flags[format];
  let id = 0;
  if (file === undefined && oneSided) {
    for await (const line of readLines(target)) yield { id: id++, source: '', target: line };
    return;
  }
  const pairs =
    file === undefined
      ? readPairs({ source, target }, '.')
      : readPairs({ file, format, source: sourceColumn, target: targetColumn }, '.');
  for await (const pair of pairs) yield { id: id++, source: pair.source, target: pair.target };
}

/** Passes pairs on and also puts them aside. */
async function* aside(
  pairs: AsyncIterable<NumberedPair>,
  waiting: NumberedPair[],
): AsyncGenerator<NumberedPair> {
  for await (const pair of pairs) {
    waiting.push(pair);
    yield pair;
  }
}
