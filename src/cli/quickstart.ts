import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from '@commander-js/extra-typings';
import type { EngineName } from '../engine/engine.js';
import { DragomanError } from '../errors.js';
import type { BleuTokenizer } from '../metrics/bleu-tokenizer.js';
import type { Translator } from '../search/translator.js';
import { positiveNumber } from './arguments.js';
import { Interruption } from './interruption.js';
import { readAll } from './lines.js';
import { stopOnSignal } from './stop-on-signal.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';
import { clock, TrainingReport } from './training-report.js';

/** The package's own folder: this file is in its `dist/cli` (or `src/cli`). */
const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** Settings for engines that compute several times slower than the native one, as `--set` takes them. */
const SMALLER: Readonly<Record<EngineName, readonly string[]>> = {
  tensorflow: [],
  wasm: [...sizes(64), 'data.maxLength=10', 'text.vocabulary.minFrequency=6', 'train.batch.size=16'],
  cpu: [...sizes(32), 'data.maxLength=6', 'text.vocabulary.minFrequency=10', 'train.batch.size=16'],
};

function sizes(embedding: number): string[] {
  const model = {
    embedding,
    'encoder.hidden': embedding,
    'decoder.hidden': 2 * embedding,
    output: embedding,
  };
  return Object.entries(model).map(([key, size]) => `model.${key}=${size}`);
}

/** Languages written without spaces between words: how BLEU cuts them; the model takes characters. */
const UNSPACED: Readonly<Record<string, BleuTokenizer>> = { ja: 'char', 'zh-hans': 'zh', 'zh-hant': 'zh' };

/** Sentences that are shown, and their longest length in words. */
const SHOWN = 10;
const SHOWN_WORDS = 10;
/** Sentences whose samples are reranked. */
const RERANKED = 200;

/** `dragoman quickstart`: the whole work once, on a corpus that anyone can make. */
export function quickstartCommand(terminal: Terminal) {
  return new Command('quickstart')
    .description('make the corpus of UI strings, train on it for four minutes, measure, translate, rerank')
    .option(
      '--language <code>',
      'the target language: cs de es fr it ja ko pl pt-br ru tr zh-hans zh-hant',
      'de',
    )
    .option('--minutes <n>', 'most minutes of training', positiveNumber, 4)
    .option(
      '-o, --output <folder>',
      'the model folder (default: models/vscode-ui, with the language if not de)',
    )
    .addHelpText(
      'after',
      `
Examples:
  dragoman quickstart
  dragoman quickstart --language fr --minutes 10

A model that is in the folder already is replaced. Ctrl-C ends training early and goes on with what was learned.`,
    )
    .action(async ({ language, minutes, output }) => {
      const name = language === 'de' ? 'vscode-ui' : `vscode-ui-${language}`;
      const folder = output ?? join('models', name);
      const corpus = join('data', 'vscode-ui', 'corpus', language);
      await makeCorpus(terminal, corpus, language);
      await trainModel(terminal, { folder, corpus, language, minutes });

      const { Translator } = await import('../search/translator.js');
      const translator = await Translator.load(folder);
      try {
        const sources = await readAll(join(corpus, 'test.en'));
        const references = await readAll(join(corpus, `test.${language}`));
        await measureTest(terminal, translator, sources, references, language);
        const [few, theirs] = [sources.slice(0, RERANKED), references.slice(0, RERANKED)];
        await rerankSamples(terminal, translator, few, theirs, language);
      } finally {
        translator.dispose();
      }
      terminal.say(`
The model is in ${folder}. Now try:
  echo 'Close all files' | npx dragoman translate ${folder} --forbid-unknown
  npx dragoman evaluate ${folder} --forbid-unknown --source ${join(corpus, 'test.en')} --reference ${join(corpus, `test.${language}`)}`);
    });
}

async function makeCorpus(terminal: Terminal, corpus: string, language: string): Promise<void> {
  // Made anew every time: what is in the folder may be of another version, and it takes seconds.
  terminal.say(`1. Making the corpus in ${corpus}`);
  const recipe = join(PACKAGE, 'data', 'vscode-ui', 'make.mjs');
  // The recipe's report is no result of this command, so it goes to standard error with the rest.
  const child = spawn(process.execPath, [recipe, '--language', language, '--out', corpus], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream
      .setEncoding('utf8')
      .on(
        'data',
        (text: string) => void terminal.stderr.write(text.replaceAll(/^/gm, '   ').replace(/ {3}$/, '')),
      );
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // It has said itself, on one line, what was wrong.
  if (code !== 0) throw new DragomanError(code === 2 ? 'usage' : 'training', 'the corpus could not be made');
}

async function trainModel(
  terminal: Terminal,
  {
    folder,
    corpus,
    language,
    minutes,
  }: { folder: string; corpus: string; language: string; minutes: number },
): Promise<void> {
  const { startEngine } = await import('../engine/engine.js');
  const { loadConfig } = await import('../config.js');
  const { train } = await import('../train/train.js');
  const { MODEL_FILES } = await import('../model/folder-names.js');
  const engine = await startEngine();
  const file = join(PACKAGE, 'data', 'vscode-ui', 'train.yaml');
  const smaller = SMALLER[engine.name];
  const place = (part: string): string => relative(dirname(file), join(corpus, part)).replaceAll('\\', '/');
  const config = await loadConfig(file, [
    `data.train={source: ${place('train.en')}, target: ${place(`train.${language}`)}}`,
    `data.validation={source: ${place('dev.en')}, target: ${place(`dev.${language}`)}}`,
    `train.minutes=${minutes}`,
    ...smaller,
    ...(language in UNSPACED ? ['text.target={kind: character}', 'data.maxLength=120'] : []),
  ]);
  terminal.say(
    `\n2. Training for at most ${minutes} minutes with ${engine.version} (${engine.threads} threads); Ctrl-C ends it early`,
  );
  if (smaller.length > 0) {
    terminal.say(
      `   the ${engine.name} engine is slower, so the model is smaller: ${smaller.map((s) => `--set ${s}`).join(' ')}`,
    );
    terminal.say('   "npx dragoman doctor" says how to get the native engine');
  }
  const taken = existsSync(join(folder, MODEL_FILES.config));
  if (taken) terminal.say(`   the model that is in ${folder} will be replaced`);
  const report = new TrainingReport(terminal);
  const stop = stopOnSignal((text) => report.onMessage(text), 'ending training; Ctrl-C again stops at once');
  try {
    const result = await train(config, {
      onProgress: (progress) => report.onProgress(progress),
      onValidation: (validation) => report.onValidation(validation),
      onMessage: (message) => report.onMessage(message),
      folder,
      configFolder: dirname(file),
      overwrite: taken,
      signal: stop.signal,
      command: 'npx dragoman quickstart',
    });
    report.finish();
    if (result.final === null)
      throw new Interruption('ended before the first validation: there is no model to show');
    terminal.say(`   ${result.step} steps, ${result.targetTokens} target tokens in ${clock(result.seconds)}`);
  } finally {
    report.finish();
    stop.release();
  }
}

async function measureTest(
  terminal: Terminal,
  translator: Translator,
  sources: readonly string[],
  references: readonly string[],
  language: string,
): Promise<void> {
  const { bleu, formatBleu } = await import('../metrics/bleu.js');
  const { chrf, formatChrf } = await import('../metrics/chrf.js');
  terminal.say(
    `\n3. Translating the ${sources.length} test lines, none of which the model has seen (beam 5, --forbid-unknown)`,
  );
  const progress = terminal.progress('translating', sources.length);
  const translations: string[] = [];
  for await (const { text } of translator.translateStream(sources, { forbidUnknown: true })) {
    translations.push(text);
    progress.update(translations.length);
  }
  progress.finish();
  await terminal.print(formatBleu(bleu(translations, references, { tokenizer: UNSPACED[language] })));
  await terminal.print(formatChrf(chrf(translations, references)));
  const rows = sources.flatMap((source, i) =>
    source.split(' ').length <= SHOWN_WORDS ? [[source, translations[i] ?? '', references[i] ?? '']] : [],
  );
  terminal.say(`\n4. The first ${SHOWN} test lines of at most ${SHOWN_WORDS} words`);
  await terminal.print(resultTable(terminal, ['source', 'translation', 'reference'], rows.slice(0, SHOWN)));
}

async function rerankSamples(
  terminal: Terminal,
  translator: Translator,
  sources: readonly string[],
  references: readonly string[],
  language: string,
): Promise<void> {
  const { bleu } = await import('../metrics/bleu.js');
  const { rerank } = await import('../search/rerank.js');
  const { modelFeature } = await import('../search/features.js');
  terminal.say(
    `\n5. Reranking: ten candidates for each of ${sources.length} test lines, drawn at random (--sample), put in the`,
  );
  terminal.say('   order of ln P(target | source)');
  const drawn = await translator.translate(sources, { sample: {}, nbest: 10, forbidUnknown: true });
  const lists = drawn.map(({ id, source, hypotheses }) => ({
    id,
    source,
    where: `line ${id + 1}`,
    entries: hypotheses.map(({ text }, i) => ({
      text,
      features: new Map([['rank', [i + 1]]]),
      total: null,
      rest: {},
    })),
  }));
  const reranked = await rerank(lists, [modelFeature(translator)]);
  const shown = reranked.find(({ source, entries }) => {
    const words = source.split(' ').length;
    return words >= 4 && words <= SHOWN_WORDS && new Set(entries.map(({ text }) => text)).size >= 5;
  });
  if (shown) {
    await terminal.print(shown.source);
    const rows = shown.entries.map(({ text, features, total }) => [
      String(features.get('rank')?.[0]),
      (total ?? 0).toFixed(2),
      text,
    ]);
    await terminal.print(resultTable(terminal, ['drawn', 'ln P', 'candidate'], rows));
  }
  const first = (list: { entries: readonly { text: string }[] }): string => list.entries[0]?.text ?? '';
  const [before, after] = [lists, reranked].map((order) =>
    bleu(order.map(first), references, { tokenizer: UNSPACED[language] }),
  );
  await terminal.print(
    `BLEU of the first candidates: ${before!.score.toFixed(2)} as drawn, ${after!.score.toFixed(2)} reranked`,
  );
}
