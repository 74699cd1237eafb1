import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LanguageModelConfigInput } from '../../src/config.js';
import { startEngine } from '../../src/engine/engine.js';
import { loadLanguageModelFolder, saveLanguageModelFolder } from '../../src/model/language-model-folder.js';
import { Random } from '../../src/random.js';
import { ScoreSummary } from '../../src/search/scorer.js';
import { TextScorer } from '../../src/search/text-scorer.js';
import { type TrainOptions, train } from '../../src/train/train.js';

/**
 * A language whose entropy is known: a Markov chain. Row i are the probabilities of what follows word i, the last
 * column those of the end; the row of the start has no end.
 */
const WORDS = ['a', 'b', 'c', 'd'];
const START = [0.6, 0.2, 0.1, 0.1, 0];
const FOLLOWS = [
  [0.1, 0.7, 0.1, 0, 0.1],
  [0.05, 0.05, 0.6, 0.1, 0.2],
  [0.5, 0.1, 0.1, 0.1, 0.2],
  [0.25, 0.25, 0.25, 0.05, 0.2],
];
const END = WORDS.length;

const entropyOf = (row: readonly number[]): number =>
  -row.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0);

/** exp of the entropy a token: (H(start) + sum_i n_i H(row i)) / (1 + sum_i n_i), n_i the visits a sentence expects. */
function truePerplexity(): number {
  let visits = START.slice(0, END);
  let total = [...visits];
  // n = start (I - Q)^-1 as its series; a sentence ends with probability 0.1 or more at each word.
  for (let step = 0; step < 500; step++) {
    visits = WORDS.map((_, to) => visits.reduce((sum, n, from) => sum + n * FOLLOWS[from]![to]!, 0));
    total = total.map((n, i) => n + visits[i]!);
  }
  const entropy = total.reduce((sum, n, i) => sum + n * entropyOf(FOLLOWS[i]!), entropyOf(START));
  return Math.exp(entropy / (1 + total.reduce((a, b) => a + b, 0)));
}

/** Sentences of the chain, and ln P of each. */
function speak(count: number, seed: number): { text: string; logProbability: number }[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const words: string[] = [];
    let logProbability = 0;
    let row = START;
    for (;;) {
      let draw = random.next();
      let next = 0;
      while (next < END && draw >= row[next]!) draw -= row[next++]!;
      logProbability += Math.log(row[next]!);
      if (next === END) return { text: words.join(' '), logProbability };
      words.push(WORDS[next]!);
      row = FOLLOWS[next]!;
    }
  });
}

const HELD_OUT = speak(600, 2);

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  await startEngine();
  folder = mkdtempSync(join(tmpdir(), 'dragoman-lm-'));
  const write = (name: string, sentences: readonly { text: string }[]): void =>
    writeFileSync(at(name), sentences.map(({ text }) => `${text}\n`).join(''));
  write('train.txt', speak(6000, 1));
  write('dev.txt', HELD_OUT);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Changes = Partial<Pick<LanguageModelConfigInput, 'text' | 'model' | 'train' | 'data'>>;

function configOf({ text, model, train: training, data }: Changes = {}): LanguageModelConfigInput {
  return {
    task: 'language-model',
    data: data ?? { train: { text: 'train.txt' }, validation: { text: 'dev.txt' } },
    text: text ?? { tokenizer: { kind: 'word' } },
    model: {
      cell: 'gru',
      embedding: 8,
      hidden: 16,
      dropout: { embedding: 0, layers: 0, output: 0 },
      ...model,
    },
    train: {
      epochs: 5,
      // Sentences of a batch have like lengths: large ones, and a rate that falls, keep that from showing.
      batch: { size: 128 },
      optimizer: { learningRate: 0.03 },
      schedule: { kind: 'linear', warmup: 10 },
      labelSmoothing: 0,
      ...training,
    },
  };
}

const run = (name: string, changes: Changes = {}, options: Partial<TrainOptions> = {}) =>
  train(configOf(changes), { folder: at(name), configFolder: folder, ...options });

describe('a language model of a Markov chain', () => {
  let summary: ScoreSummary;

  beforeAll(async () => {
    await run('chain');
    const scorer = await TextScorer.load(at('chain'));
    summary = new ScoreSummary();
    const lines = HELD_OUT.map(({ text }) => text);
    for (const [i, scored] of (await scorer.score(lines)).entries()) summary.add(scored, lines[i]);
    scorer.dispose();
  });

  it('comes within 2 % of the perplexity that its entropy allows, and not below it', () => {
    const { sentences, tokens } = summary;
    // The held-out sample has its own luck: what the chain itself scores on it, with its standard error a token.
    const own = HELD_OUT.map(({ logProbability }) => logProbability);
    const total = own.reduce((a, b) => a + b, 0);
    const deviation = Math.sqrt(own.reduce((sum, x) => sum + (x - total / sentences) ** 2, 0));
    expect(Math.abs(Math.log(truePerplexity()) + total / tokens)).toBeLessThan((3 * deviation) / tokens);
    const sampled = Math.exp(-total / tokens);
    expect(summary.perplexity / sampled).toBeLessThan(1.02);
    // Nothing predicts a sample of the chain better than the chain but by luck: 600 sentences leave room for 0.5 %.
    expect(summary.perplexity / sampled).toBeGreaterThan(0.995);
    expect(Math.abs(Math.log(summary.perplexity / truePerplexity()))).toBeLessThan(
      0.02 + (3 * deviation) / tokens,
    );
  });

  it('has the perplexities of their formulas', () => {
    const { logProbability, tokens, words, sentences } = summary;
    expect(tokens).toBe(words + sentences); // here every token is a word
    expect(summary.perplexity).toBeCloseTo(Math.exp(-logProbability / tokens), 10);
    expect(summary.wordPerplexity).toBeCloseTo(summary.perplexity, 10);
  });

  it('gives each sentence nearly the probability that it has, in a batch or alone', async () => {
    const scorer = await TextScorer.load(at('chain'));
    const chosen = HELD_OUT.slice(0, 20);
    const scores = await scorer.score(chosen.map(({ text }) => text));
    for (const [i, { text, logProbability }] of chosen.entries()) {
      // 6000 sentences teach a rare transition to about 20 %: 0.15 a token in the mean is far above what is seen.
      expect(Math.abs(scores[i]!.score - logProbability)).toBeLessThan(
        0.15 * scores[i]!.tokenScores.length + 0.3,
      );
      const [alone] = await scorer.score([text]);
      expect(alone!.score).toBeCloseTo(scores[i]!.score, 4);
    }
    const [empty, strange] = await scorer.score(['', 'never seen']);
    expect(empty!.tokenScores).toHaveLength(1);
    expect(strange!.tokens).toEqual(['<unk>', '<unk>']);
    scorer.dispose();
    await expect(scorer.score(['a'])).rejects.toThrow('the scorer was used after dispose()');
  });

  it('leaves a folder like any other model, with its perplexity in the history and the card', async () => {
    expect(readdirSync(at('chain')).toSorted()).toEqual(
      [
        'README.md',
        'checkpoint',
        'config.yaml',
        'history.jsonl',
        'vocab.txt',
        'weights.safetensors',
      ].toSorted(),
    );
    const rows = readFileSync(at('chain/history.jsonl'), 'utf8').trimEnd().split('\n');
    const best = Math.min(
      ...rows
        .map((row) => JSON.parse(row) as { event: string; perplexity: number })
        .filter(({ event }) => event === 'validation')
        .map(({ perplexity }) => perplexity),
    );
    expect(best).toBeCloseTo(summary.perplexity, 3);
    const card = readFileSync(at('chain/README.md'), 'utf8');
    expect(card).toContain('A language model, made with');
    expect(card).toContain('| network | gru, 1 layer of 16 |');
    expect(card).toContain('6,000 sentences');
  });

  it('is the same model when it is read and written again', async () => {
    const loaded = await loadLanguageModelFolder(at('chain'));
    await saveLanguageModelFolder(at('copy'), loaded, loaded.folder);
    const again = await loadLanguageModelFolder(at('copy'));
    for (const { name } of loaded.model.parameters.specs) {
      expect(again.model.parameters.read(name)).toEqual(loaded.model.parameters.read(name));
    }
    expect(again.text.vocabulary.equals(loaded.text.vocabulary)).toBe(true);
    loaded.model.dispose();
    again.model.dispose();
  });
});

describe('training a language model', () => {
  const weights = (name: string): Buffer => readFileSync(at(`${name}/weights.safetensors`));

  it('goes on from a checkpoint bit for bit', async () => {
    const dropout = { embedding: 0.2, layers: 0.2, output: 0.2 };
    const model = { layers: 2, output: 8, tieEmbedding: true, dropout };
    const training = {
      epochs: 9,
      labelSmoothing: 0.1,
      tensorboard: true,
      schedule: { kind: 'plateau' },
      validation: { everySteps: 12, sentences: 50 },
    } as const;
    await run('whole', { model, train: { ...training, steps: 24 } });
    await run('parts', { model, train: { ...training, steps: 10 } });
    await run('parts', { model, train: { ...training, steps: 24 } }, { resume: true });
    expect(weights('parts').equals(weights('whole'))).toBe(true);
    expect(readdirSync(at('parts'))).toContain('tensorboard');
    await expect(
      run('parts', { model: { ...model, layers: 1 }, train: training }, { resume: true }),
    ).rejects.toThrow('cannot go on with another configuration: model.layers (2 in the checkpoint, 1 now)');
  });

  it('trains its own pieces, cuts them anew in every epoch, and gives them to another model', async () => {
    const text = { tokenizer: { kind: 'sentencepiece', train: { vocabSize: 12 } } } as const;
    const segmentation = { kind: 'sampling', alpha: 0.2 } as const;
    await run('pieces', { text, train: { steps: 10, segmentation } });
    expect(readdirSync(at('pieces'))).toContain('text.model');
    // Once more from the first model's pieces, and going on with them.
    await run('taken', { text: { from: 'pieces' }, train: { steps: 5, segmentation } });
    await run('taken', { text: { from: 'pieces' }, train: { steps: 8, segmentation } }, { resume: true });
    expect(readFileSync(at('taken/text.model')).equals(readFileSync(at('pieces/text.model')))).toBe(true);
    expect(readFileSync(at('taken/config.yaml'), 'utf8')).toMatch(/model: text\.model/);
    const scorer = await TextScorer.load(at('taken'));
    expect((await scorer.score(['a b c']))[0]!.score).toBeLessThan(0);
    scorer.dispose();
  });

  it('reads a column of a table, and says which line it cannot read', async () => {
    writeFileSync(at('table.tsv'), 'id\tsaid\n1\ta b\n2\tb c a\n');
    writeFileSync(at('lines.jsonl'), '{"text": "a b"}\n{"text": 1}\n');
    const table = { file: 'table.tsv', text: 'said' };
    const data = { train: table, validation: table };
    const result = await run('table', { data, train: { steps: 1 } });
    expect(result).toMatchObject({ trainingPairs: 2, validationPairs: 2, targetTokens: 7 });
    const broken = { train: { file: 'lines.jsonl' }, validation: table };
    await expect(run('broken', { data: broken })).rejects.toThrow(
      'lines.jsonl:2: expected a string under "text", got "1"',
    );
    writeFileSync(at('empty.txt'), '\n\n');
    const empty = { train: { text: 'train.txt' }, validation: { text: 'empty.txt' } };
    await expect(run('empty', { data: empty })).rejects.toThrow(
      'empty.txt: expected at least one sentence of 1 to 100 tokens, got 2 empty ones and 0 longer than that',
    );
  });
});
