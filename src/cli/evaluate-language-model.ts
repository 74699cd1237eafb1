import { DragomanError } from '../errors.js';
import { fixed } from '../metrics/format.js';
import { refuse } from './arguments.js';
import { announceInput } from './lines.js';
import type { Terminal } from './terminal.js';

/** Of the options of `evaluate`, those that mean something with a language model. */
interface Flags {
  readonly reference: readonly string[];
  readonly format: 'text' | 'json';
  readonly width?: number;
  /** Global options. */
  readonly engine?: unknown;
  readonly debug?: unknown;
}

/** Prints the perplexity of a text under a language model. */
export async function evaluateLanguageModel(terminal: Terminal, folder: string, flags: Flags): Promise<void> {
  const { reference, format, width = 2, engine: _, debug: __, ...others } = flags;
  refuse(others, 'has no meaning with a language model, whose perplexity on --reference is measured');
  const [file] = reference;
  if (file === undefined || reference.length > 1) {
    throw new DragomanError(
      'usage',
      `expected one --reference file with a language model, got ${reference.length}`,
    );
  }
  const { readLines } = await import('../text/corpus.js');
  const { ScoreSummary } = await import('../search/scorer.js');
  const { TextScorer } = await import('../search/text-scorer.js');
  const { nameOf } = await import('../text/input.js');
  const scorer = await TextScorer.load(folder);
  const summary = new ScoreSummary();
  const progress = terminal.progress('scored', null);
  try {
    announceInput(file, terminal);
    const waiting: string[] = [];
    async function* lines(path: string): AsyncGenerator<string> {
      for await (const line of readLines(path)) {
        waiting.push(line);
        yield line;
      }
    }
    for await (const scored of scorer.scoreStream(lines(file))) {
      summary.add(scored, waiting.shift());
      progress.update(summary.sentences);
    }
  } finally {
    progress.finish();
    scorer.dispose();
  }
  const { sentences, tokens, words, logProbability, perplexity, wordPerplexity } = summary;
  if (sentences === 0) {
    throw new DragomanError('input', `${nameOf(file)}: expected at least one line, got none`);
  }
  await terminal.print(
    format === 'json'
      ? JSON.stringify({
          name: 'perplexity',
          score: perplexity,
          wordScore: wordPerplexity,
          logProbability,
          sentences,
          tokens,
          words,
        })
      : `perplexity = ${fixed(perplexity, width)} a token (${tokens} tokens), ${fixed(wordPerplexity, width)} a word ` +
          `(${words} words, ${sentences} ends of sentences)`,
  );
}
