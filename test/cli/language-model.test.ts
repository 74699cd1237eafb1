import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TinyTask, tinyTask } from '../tiny-model.js';
import { dragoman } from './terminal.js';

// A language model of the tiny language's target side, made and used through the command line.

let task: TinyTask;
let model: string;
let language: string;
const at = (name: string): string => join(task.folder, name);
const short = (config: object): string => JSON.stringify({ task: 'language-model', data: DATA, ...config });
const DATA = { train: { text: 'train.de' }, validation: { text: 'dev.de' } };
const SMALL = {
  model: { embedding: 8, hidden: 16 },
  train: { epochs: 3, optimizer: { learningRate: 0.02 } },
};

beforeAll(async () => {
  task = await tinyTask();
  [model, language] = [at('model'), at('lm')];
  await dragoman('train', at('train.yaml'), '--output', model, '--set', 'train.epochs=4');
  await writeFile(at('lm.yaml'), short({ text: { from: 'model' }, ...SMALL }));
  await writeFile(at('other.yaml'), short({ text: { tokenizer: { kind: 'character' } }, ...SMALL }));
  await writeFile(at('wrong.yaml'), short({ text: {}, model: { bidirectional: true } }));
});
afterAll(() => rm(task.folder, { recursive: true, force: true }));

describe('a language model on the command line', () => {
  it('is trained', async () => {
    const { code, out, err } = await dragoman('train', at('lm.yaml'), '-o', language);
    expect({ code, out }).toEqual({ code: 0, out: `${language}\n` });
    expect(err).toMatch(/training data: train\.de: 320 sentences, \d+ tokens\n/);
    expect(err).toMatch(
      /epoch 3, step 15, \d:\d\d: validation perplexity \d+\.\d\d \(best so far\), accuracy/,
    );
    const other = await dragoman('train', at('other.yaml'), '-o', at('other'), '--set', 'train.steps=2');
    expect(other.code).toBe(0);
  });

  it('scores lines, candidates and columns, and is evaluated, alike', async () => {
    const scored = await dragoman('score', language, '--target', at('test.de'), '--tokens');
    const lines = (await readFile(at('test.de'), 'utf8')).trimEnd().split('\n');
    const scores = scored.out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(scores).toHaveLength(lines.length);
    let total = 0;
    let tokens = 0;
    for (const [i, [score, each]] of scores.entries()) {
      const values = each!.split(' ').map(Number);
      expect(values).toHaveLength(lines[i]!.split(' ').length + 1); // every word is a token here
      expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(Number(score), 3);
      total += Number(score);
      tokens += values.length;
    }
    const summary =
      /^20 lines, (\d+) tokens, (\d+) words, log-probability (-[\d.]+), perplexity ([\d.]+) a token, ([\d.]+) a word$/m.exec(
        scored.err,
      )!;
    expect(Number(summary[1])).toBe(tokens);
    expect(Number(summary[2])).toBe(tokens - 20);
    expect(Number(summary[3])).toBeCloseTo(total, 2);
    expect(Number(summary[4])).toBeCloseTo(Math.exp(-total / tokens), 3);
    expect(summary[5]).toBe(summary[4]);

    const evaluated = await dragoman('evaluate', language, '--reference', at('test.de'), '-w', '4');
    expect(evaluated.out).toBe(
      `perplexity = ${summary[4]} a token (${tokens} tokens), ${summary[5]} a word (${tokens - 20} words, 20 ends of sentences)\n`,
    );
    const json = await dragoman('evaluate', language, '--reference', at('test.de'), '--format', 'json');
    expect(JSON.parse(json.out)).toMatchObject({ name: 'perplexity', sentences: 20, tokens });

    const plain = scores.map(([score]) => score);
    await writeFile(at('test.tsv'), `n\tde\n${lines.map((line, i) => `${i}\t${line}\n`).join('')}`);
    await writeFile(at('test.nbest'), lines.map((line, i) => `${i} ||| ${line} ||| x= 0\n`).join(''));
    for (const flags of [
      ['--tsv', at('test.tsv'), '--target-column', 'de'],
      ['--nbest', at('test.nbest')],
    ]) {
      const { out } = await dragoman('score', language, ...flags);
      expect(out.trimEnd().split('\n')).toEqual(plain);
    }
  });

  it('is a feature of reranking, also without a translation model or a source', async () => {
    const list = ['0 ||| Datei Datei öffnen ||| x= 1\n', '0 ||| Datei Xylophon ||| x= 1\n'];
    await writeFile(at('list'), list.join(''));
    const { out } = await dragoman('score', language, '--nbest', at('list'));
    const scores = out.trimEnd().split('\n').map(Number);
    const flags = ['--language-model', language, '-n', at('list'), '-f', 'jsonl'];
    const alone = await dragoman('rerank', ...flags, '--language-model', at('other'));
    expect(alone.err).toMatch(/^score = 1 lm \+ 1 lm2\n/);
    const { hypotheses } = JSON.parse(alone.out) as {
      hypotheses: { text: string; features: Record<string, number> }[];
    };
    for (const { text, features } of hypotheses) {
      expect(features.lm).toBe(scores[list.findIndex((line) => line.includes(` ${text} `))]);
      expect(features.lm2).toBeLessThan(0);
    }
    const both = await dragoman('rerank', model, '-s', at('test.en'), ...flags, '--scores', 'per-token');
    expect(both.err).toMatch(/^score = 1 model-per-token \+ 1 lm-per-token\n/);
    const sample = ['--sample', '--temperature', '2', '--nbest', '4', '--format', 'moses', '-o', at('drawn')];
    await dragoman('translate', model, '-i', at('dev.en'), ...sample);
    const tuned = await dragoman(
      ...['rerank', 'tune', '--language-model', language, '-n', at('drawn'), '-r', at('dev.de')],
      ...['--restarts', '1'],
    );
    expect(tuned.code).toBe(0);
    expect(tuned.out).toMatch(/^ {2}lm: /m);
  });

  it('has a say in every step of a translation', async () => {
    const fused = (weight: string, ...flags: string[]) =>
      dragoman(
        ...['translate', model, '-i', at('test.en'), '--format', 'jsonl', ...flags],
        ...['--language-model', language, '--language-model-weight', weight],
      );
    const texts = ({ out }: { out: string }): string[] =>
      out.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { text: string }).text]));
    const alone = await dragoman('translate', model, '-i', at('test.en'), '--format', 'jsonl');
    expect(texts(await fused('0'))).toEqual(texts(alone));
    const loud = await fused('0.5');
    expect(texts(loud)).toHaveLength(20);
    expect(texts(await fused('0.5', '--batch-size', '1'))).toEqual(texts(loud));
    // The score is that of the translation model, plus half of the language model's.
    const [best] = loud.out.split('\n').map((line) => JSON.parse(line || '{}') as Record<string, unknown>);
    const { text, score } = (best!.hypotheses as { text: string; score: number }[])[0]!;
    await writeFile(at('one.de'), `${text}\n`);
    const [source] = (await readFile(at('test.en'), 'utf8')).split('\n');
    await writeFile(at('one.en'), `${source}\n`);
    const translated = Number((await dragoman('score', model, '-s', at('one.en'), '-t', at('one.de'))).out);
    const spoken = Number((await dragoman('score', language, '-t', at('one.de'))).out);
    expect(score).toBeCloseTo(translated + 0.5 * spoken, 3);
    for (const flags of [['--beam', '1'], ['--nbest', '3'], ['--sample', '--top-k', '3'], ['--alignments']]) {
      expect(texts(await fused('0.3', ...flags))).toHaveLength(20);
    }
    const measured = await dragoman(
      ...['evaluate', model, '-s', at('test.en'), '-r', at('test.de'), '-m', 'bleu'],
      ...['--language-model', language],
    );
    expect(measured.code).toBe(0);
  });

  const wrong: [string, () => string[], RegExp][] = [
    [
      'train with nonsense',
      () => ['train', at('wrong.yaml'), '-o', at('x')],
      /model\.bidirectional: a language model cannot be bidirectional: .*; .*text: expected either tokenizer, or from with a model folder, got neither$/,
    ],
    [
      'translate',
      () => ['translate', language, '-i', at('test.en')],
      /lm: expected a translation model, got a language model/,
    ],
    [
      'fuse a translation model',
      () => ['translate', model, '-i', at('test.en'), '--language-model', model],
      /model: expected a language model, got a translation model$/,
    ],
    [
      'fuse other tokens',
      () => ['translate', model, '-i', at('test.en'), '--language-model', at('other')],
      /other: expected the target tokenizer and vocabulary of .*model \(word, 9 entries\), got others \(character, \d+ entries\); a language model trained with text\.from: .*model has them$/,
    ],
    [
      'give a weight alone',
      () => ['translate', model, '--language-model-weight', '1'],
      /--language-model-weight needs --language-model$/,
    ],
    [
      'score with a source',
      () => ['score', language, '-s', 'a', '-t', 'b'],
      /--source has no meaning with a language model, which has no source$/,
    ],
    [
      'score nothing',
      () => ['score', language],
      /expected --target or --nbest with a language model, or a table/,
    ],
    [
      'score in company',
      () => ['score', language, model, '-t', 'b'],
      /lm: expected a language model alone, got it among 2 models$/,
    ],
    [
      'measure BLEU',
      () => ['evaluate', language, '-r', 'a', '-m', 'bleu'],
      /--metrics has no meaning with a language model, whose perplexity on --reference is measured$/,
    ],
    [
      'read what is not there',
      () => ['evaluate', language, '-r', at('nowhere')],
      /nowhere: expected a readable file, got no such file$/,
    ],
    [
      'rerank with a translation model for it',
      () => ['rerank', '--language-model', model, '-n', at('list')],
      /model: expected a language model, got a translation model$/,
    ],
  ];
  it.each(wrong)('says in one line why it cannot %s', async (_, words, message) => {
    const { code, out, err } = await dragoman(...words());
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd()).toMatch(message);
    expect(err.trimEnd()).not.toContain('\n');
  });
});
