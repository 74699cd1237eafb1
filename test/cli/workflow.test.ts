import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Translator } from '../../src/search/translator.js';
import { parseWeightsFile, readWeightsFile } from '../../src/search/weights-file.js';
import { type TinyTask, tinyTask } from '../tiny-model.js';
import { dragoman } from './terminal.js';

// One model of a tiny language, trained through the command line, then used by every other command.

let task: TinyTask;
let model: string;
let trained: Awaited<ReturnType<typeof dragoman>>;
const at = (name: string): string => join(task.folder, name);
const linesOf = async (name: string): Promise<string[]> =>
  (await readFile(at(name), 'utf8')).trimEnd().split('\n');

beforeAll(async () => {
  task = await tinyTask();
  model = at('model');
  trained = await dragoman('train', at('train.yaml'), '--output', model, '--set', 'seed=3');
});
afterAll(() => rm(task.folder, { recursive: true, force: true }));

describe('dragoman train', () => {
  it('prints the folder on standard output, all else on standard error', () => {
    expect(trained.err).toMatch(/training data: train\.en and train\.de: 320 pairs/);
    expect(trained.err).toMatch(
      /epoch 1, step 20, \d:\d\d: validation perplexity \d+\.\d\d \(best so far\), accuracy/,
    );
    expect(trained.err).toMatch(/trained 200 steps \(10 epochs\) in \d:\d\d, until train\.epochs/);
    expect(trained.out).toBe(`${model}\n`);
    expect(trained.code).toBe(0);
  });

  it('leaves the whole model in the folder, and the command in its card', async () => {
    const files = await readdir(model);
    for (const file of [
      'config.yaml',
      'weights.safetensors',
      'vocab.src.txt',
      'vocab.tgt.txt',
      'history.jsonl',
    ]) {
      expect(files).toContain(file);
    }
    const card = await readFile(join(model, 'README.md'), 'utf8');
    expect(card).toContain('--set seed=3');
  });

  it('overwrites nothing unasked', async () => {
    const again = await dragoman('train', at('train.yaml'), '--output', model);
    expect(again).toMatchObject({ code: 2, out: '' });
    expect(again.err).toMatch(/^dragoman: .*expected no model here.*\n$/);
    const both = await dragoman('train', at('train.yaml'), '--output', model, '--resume', '--overwrite');
    expect(both).toMatchObject({ code: 2, out: '' });
    const none = await dragoman('train', at('train.yaml'), '--output', at('none'), '--resume');
    expect(none.err).toMatch(/^dragoman: .*expected a checkpoint to resume from, got none\n$/);
  });

  it('says where the configuration is wrong', async () => {
    const file = at('wrong.yaml');
    await writeFile(file, 'data: {train: {source: a, target: b}}\nmodel:\n  cell: lstn\n');
    const { code, err } = await dragoman('train', file);
    expect(code).toBe(2);
    expect(err).toContain(`${file}:3:3: model.cell: expected one of`);
    expect(err.trimEnd()).not.toContain('\n');
    const override = await dragoman('train', at('train.yaml'), '--set', 'train.steps=0', '-o', at('x'));
    expect(override.err).toBe(
      'dragoman: --set train.steps=0: train.steps: expected a positive whole number, got 0\n',
    );
    const missing = await dragoman(
      'train',
      at('train.yaml'),
      '--set',
      'data.train.source=nowhere',
      '-o',
      at('x'),
    );
    expect(missing.err).toMatch(/^dragoman: nowhere: .*no such file\n$/);
    expect(existsSync(at('x'))).toBe(false);
  });
});

describe('dragoman translate', () => {
  it('translates line by line, as the library does', async () => {
    const { code, out, err } = await dragoman('translate', model, '--input', at('test.en'));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const translator = await Translator.load(model);
    const expected = await translator.translate(await linesOf('test.en'));
    translator.dispose();
    expect(out).toBe(expected.map(({ text }) => `${text}\n`).join(''));
    const references = await linesOf('test.de');
    expect(expected.filter(({ text }, i) => text === references[i]).length).toBeGreaterThan(10);
  });

  it('keeps empty lines, also with alignments', async () => {
    await writeFile(at('gaps'), 'open file\n\n\nwindow\n');
    const { out } = await dragoman('translate', model, '-i', at('gaps'), '--alignments');
    expect(out).toBe('öffnen Datei ||| 0-0 1-1\n ||| \n ||| \nFenster ||| 0-0\n');
  });

  it('writes n-best lists that score and rerank read', async () => {
    const list = ['translate', model, '-i', at('test.en'), '--nbest', '4', '--format', 'moses'];
    expect(await dragoman(...list, '-o', at('nbest.gz'))).toEqual({ code: 0, out: '', err: '' });
    const nbest = gunzipSync(await readFile(at('nbest.gz')))
      .toString()
      .trimEnd()
      .split('\n');
    expect(nbest[0]).toMatch(/^0 \|\|\| .+ \|\|\| score= -\d/);

    const scored = await dragoman('score', model, '-s', at('test.en'), '--nbest', at('nbest.gz'));
    const scores = scored.out.trimEnd().split('\n').map(Number);
    expect(scores).toHaveLength(nbest.length);
    const own = nbest.map((line) => Number(/score= (\S+)/.exec(line)?.[1]));
    for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(own[i]!, 3);

    const reranked = await dragoman(
      ...['rerank', model, '-s', at('test.en'), '-n', at('nbest.gz'), '-w', 'model=-1', '--reverse', model],
      ...['--reference', at('test.de'), '--format', 'jsonl'],
    );
    expect(reranked.code).toBe(0);
    expect(reranked.err).toMatch(
      /^score = -1 model\nbefore: BLEU\|.*\nafter: {2}BLEU\|.*\noracle: BLEU\|.*\nafter - before: [-+]\d+\.\d\d BLEU, 95 % interval [-+].* to [-+].*, p = [01]\.\d{4} .*\nthe first hypothesis changed in \d+ of 20/,
    );
    const [first] = reranked.out.split('\n');
    const { hypotheses } = JSON.parse(first ?? '') as {
      hypotheses: { total: number; features: Record<string, number> }[];
    };
    expect(hypotheses.map(({ total }) => total)).toEqual(
      hypotheses.map(({ total }) => total).sort((a, b) => b - a),
    );
    expect(Object.keys(hypotheses[0]?.features ?? {})).toEqual(
      expect.arrayContaining(['score', 'normalised', 'total', 'model', 'reverse', 'length']),
    );
    // Worst first by the model is what a weight of -1 asks for.
    expect(hypotheses[0]?.features.model).toBe(
      Math.min(...hypotheses.map(({ features }) => features.model ?? 0)),
    );

    const best = await dragoman('rerank', model, '-s', at('test.en'), '-n', at('nbest.gz'), '-f', 'text');
    expect(best.out.trimEnd().split('\n')).toHaveLength(20);
  });

  it('learns weights on one set, and reranks another with them', async () => {
    for (const set of ['dev', 'test']) {
      const sample = ['--sample', '--temperature', '2', '--nbest', '6', '--format', 'moses', '--seed', '4'];
      const drawn = await dragoman(
        'translate',
        model,
        '-i',
        at(`${set}.en`),
        '-o',
        at(`${set}.nbest`),
        ...sample,
      );
      expect(drawn.code).toBe(0);
    }
    const features = [model, '--reverse', model, '--scores', 'both'];
    const tuned = await dragoman(
      ...['rerank', 'tune', ...features, '-s', at('dev.en'), '-n', at('dev.nbest'), '-r', at('dev.de')],
      ...['--restarts', '2', '--engine', 'cpu', '-o', at('weights.yaml')],
    );
    expect(tuned).toMatchObject({ code: 0, out: '' });
    expect(tuned.err).toMatch(
      /^20 sentences, 120 candidates\n.*3 runs: BLEU [\d.]+ to [\d.]+; with the initial/ms,
    );
    const file = await readWeightsFile(at('weights.yaml'));
    const names = ['model', 'model-per-token', 'length', 'reverse', 'reverse-per-token'];
    expect(Object.keys(file.weights)).toEqual(['score', 'total', ...names]);
    expect(file.development).toMatchObject({ sentences: 20, candidates: 120 });
    expect(file.command).toMatch(/^dragoman rerank tune \S+ --source \S+ .*--restarts 2/);
    expect(tuned.err).toContain(`after:  ${file.objective} = ${file.development?.after.toFixed(2)}`);

    const apply = (...words: string[]) =>
      dragoman(
        'rerank',
        ...words,
        '-s',
        at('dev.en'),
        '-n',
        at('dev.nbest'),
        '-r',
        at('dev.de'),
        '-f',
        'text',
      );
    const applied = await apply(...features, '-w', at('weights.yaml'));
    // The same lists, so the same scores as when they were learned on.
    for (const line of ['before', 'after']) {
      const pattern = new RegExp(`^${line}: .*$`, 'm');
      expect(pattern.exec(applied.err)?.[0]).toBe(pattern.exec(tuned.err)?.[0]);
    }
    expect(applied.out.trimEnd().split('\n')).toHaveLength(20);

    // Scored once and kept, then reranked by the same weights without a model: the same choice.
    const inputs = ['-s', at('dev.en'), '-n', at('dev.nbest')];
    expect((await dragoman('rerank', ...features, ...inputs, '-o', at('scored.nbest'))).code).toBe(0);
    const later = await dragoman('rerank', '-n', at('scored.nbest'), '-w', at('weights.yaml'), '-f', 'text');
    expect(later).toMatchObject({ code: 0, out: applied.out });

    const other = await apply(model, model, '-w', 'model=1,model2=1');
    expect(other.code).toBe(0);
    const unknown = await apply(model, model, '--scores', 'both', '-w', at('weights.yaml'));
    expect(unknown.err).toMatch(
      /expected only features that have a weight in \S+weights.yaml .* got "model2", "model2-per-token" besides/,
    );
    expect(unknown.code).toBe(2);
  });

  it('reranks without a model: by weights of the list, or by minimum Bayes risk', async () => {
    const lists = [
      '0 ||| a b c d ||| lm= -2 ||| -1',
      '0 ||| a b c e ||| lm= -1 ||| -2',
      '2 ||| x y ||| lm= -1 ||| -3',
    ];
    await writeFile(at('lists'), `${lists.join('\n')}\n`);
    await writeFile(at('answers'), 'a b c e\n\nx y\n');
    const byList = await dragoman('rerank', '-n', at('lists'), '-w', 'lm=1', '-r', at('answers'));
    expect(byList.out).toBe(
      '0 ||| a b c e ||| lm= -1 total= -2 words= 4 ||| -1\n' +
        '0 ||| a b c d ||| lm= -2 total= -1 words= 4 ||| -2\n' +
        '2 ||| x y ||| lm= -1 total= -3 words= 2 ||| -1\n',
    );
    expect(byList.err).toMatch(/^score = 1 lm\n/);
    expect(byList.err).toMatch(/the first hypothesis changed in 1 of 3 sentences/);
    const mbr = await dragoman('rerank', '-n', at('lists'), '--mbr', 'chrf', '-f', 'text');
    expect(mbr).toMatchObject({ code: 0, out: 'a b c d\n\nx y\n' });
    expect(mbr.err).toBe(
      'minimum Bayes risk by chrF2: every candidate counts the same\n1 of 3 source lines have no candidates\n',
    );
    const weighted = await dragoman(
      ...['rerank', '-n', at('lists'), '--mbr', 'bleu', '-w', 'lm=1', '--mbr-scale', '3', '-f', 'text'],
    );
    expect(weighted.out).toBe('a b c e\n\nx y\n');
    expect(weighted.err).toMatch(/^minimum Bayes risk by BLEU: ln P = 3 \(1 lm\) \+ a constant\n/);
    const tuned = await dragoman(
      'rerank',
      'tune',
      '-n',
      at('lists'),
      '-r',
      at('answers'),
      '--objective',
      'ter',
    );
    expect(tuned.code).toBe(0);
    // One of six words is wrong before.
    expect(tuned.err).toMatch(
      /^before: TER\|.* = 16\.67\nafter: {2}TER\|.* = 0\.00\noracle: TER\|.* = 0\.00$/m,
    );
    // The right one has the higher lm and the lower total.
    const { weights } = parseWeightsFile(tuned.out, 'weights');
    expect(weights.lm! - weights.total!).toBeGreaterThan(0);
  });

  it('samples by seed, and ensembles models', async () => {
    const sample = async (...words: string[]): Promise<string> => {
      const list = [
        'translate',
        model,
        '-i',
        at('test.en'),
        '--sample',
        '--nbest',
        '2',
        '-f',
        'moses',
        ...words,
      ];
      // Scores differ in their last digits when rows are batched in another way; texts may not.
      return (await dragoman(...list)).out.replaceAll(/ \|\|\| score=.*/g, '');
    };
    const one = await sample('--seed', '7', '--batch-size', '3');
    expect(await sample('--seed', '7')).toBe(one);
    expect(await sample('--seed', '8')).not.toBe(one);
    const alone = await dragoman('translate', model, '-i', at('test.en'));
    const twice = await dragoman('translate', model, model, '-i', at('test.en'), '--mean', 'log-probability');
    expect(twice.out).toBe(alone.out);
  });

  it('replaces an output file only with --overwrite, and leaves no half of one', async () => {
    await writeFile(at('old'), 'old\n');
    const words = ['translate', model, '-i', at('test.en'), '-o', at('old')];
    const refused = await dragoman(...words);
    expect(refused.err).toBe(
      `dragoman: ${at('old')}: the file exists; give another name, or --overwrite to replace it\n`,
    );
    expect(await readFile(at('old'), 'utf8')).toBe('old\n');
    await writeFile(at('binary'), Uint8Array.of(0x61, 0x0a, 0xff));
    const failed = await dragoman('translate', model, '-i', at('binary'), '-o', at('old'), '--overwrite');
    expect(failed).toMatchObject({ code: 2, out: '' });
    expect(failed.err).toMatch(/^dragoman: .*binary:2: expected UTF-8 text.*\n$/);
    expect(await readFile(at('old'), 'utf8')).toBe('old\n');
    expect((await dragoman(...words, '--overwrite')).code).toBe(0);
    expect((await linesOf('old')).length).toBe(20);
    expect((await readdir(task.folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  const wrong: [words: string, message: RegExp][] = [
    ['--nbest 3', /expected the format jsonl or moses for 3 hypotheses a sentence, got text/],
    ['--temperature 2', /--temperature needs --sample/],
    ['--sample --beam 3', /--beam has no meaning with --sample/],
    ['--min-length 5 --max-length 3', /--max-length: expected at least --min-length \(5\), got 3/],
    ['--mean probability', /has no meaning for one model/],
    ['--format xml', /argument 'xml' is invalid. Allowed choices are text, jsonl, moses/],
    ['--output /nowhere/x', /^dragoman: \/nowhere\/x: cannot be written: its folder does not exist\n$/],
    ['--output . --overwrite', /^dragoman: \.: expected a file to write, got a folder\n$/],
    ['--input /nowhere', /\/nowhere: .*no such file/],
  ];
  it.each(wrong)('refuses %s in one line', async (words, message) => {
    const { code, out, err } = await dragoman('translate', model, '-i', at('test.en'), ...words.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
    expect(err.trimEnd()).not.toContain('\n');
  });

  it('names a folder that holds no model', async () => {
    const { code, err } = await dragoman('translate', at('nothing'), '-i', at('test.en'));
    expect(code).toBe(2);
    expect(err).toMatch(/^dragoman: .*nothing.*no such file\n$/);
  });
});

describe('dragoman score', () => {
  it('scores two files, tables and per token alike, with a summary', async () => {
    const files = await dragoman('score', model, '-s', at('test.en'), '-t', at('test.de'));
    expect(files.err).toMatch(
      /^20 pairs, \d+ target tokens, log-probability -\d+\.\d+, perplexity \d+\.\d+\n$/,
    );
    const [sources, targets] = [await linesOf('test.en'), await linesOf('test.de')];
    const rows = sources.map((source, i) => `${source}\t${i}\t${targets[i]}\n`);
    await writeFile(at('pairs.tsv'), `en\tnumber\tde\n${rows.join('')}`);
    const columns = ['--source-column', 'en', '--target-column', 'de'];
    expect(await dragoman('score', model, '--tsv', at('pairs.tsv'), ...columns)).toEqual(files);

    const tokens = await dragoman('score', model, '-s', at('test.en'), '-t', at('test.de'), '--tokens');
    const plain = files.out.trimEnd().split('\n').map(Number);
    for (const [i, line] of tokens.out.trimEnd().split('\n').entries()) {
      const [score, each = ''] = line.split('\t');
      expect(Number(score)).toBe(plain[i]);
      const sum = each.split(' ').reduce((total, value) => total + Number(value), 0);
      expect(sum).toBeCloseTo(plain[i]!, 4);
    }
    const normalized = await dragoman(
      'score',
      model,
      '-s',
      at('test.en'),
      '-t',
      at('test.de'),
      '--normalize',
    );
    const length = targets[0]!.split(' ').length + 1;
    expect(Number(normalized.out.split('\n')[0])).toBeCloseTo(plain[0]! / length, 5);
  });

  it('says as JSON which token is how probable', async () => {
    await writeFile(at('one.jsonl'), '{"source": "open file", "target": "öffnen zebra"}\n');
    const { out } = await dragoman('score', model, '--jsonl', at('one.jsonl'), '--tokens', '-f', 'jsonl');
    const line = JSON.parse(out) as {
      id: number;
      score: number;
      perToken: number;
      tokens: string[];
      tokenScores: number[];
    };
    expect(line.id).toBe(0);
    expect(line.tokens).toEqual(['öffnen', '<unk>']);
    expect(line.tokenScores).toHaveLength(3);
    expect(line.perToken).toBeCloseTo(line.score / 3, 6);
  });

  const wrong: [words: string, message: RegExp][] = [
    ['-s a', /expected --source with --target or --nbest, or a table/],
    ['-s a -t b --nbest c', /expected --target or --nbest, got both/],
    ['--tsv a --csv b', /expected one table, got --tsv and --csv/],
    ['--tsv a -s b', /--source has no meaning with --tsv/],
    ['-s a -t b --source-column c', /--source-column needs --tsv, --csv or --jsonl/],
    ['-s a -t b -f jsonl --normalize', /--normalize has no meaning with --format jsonl/],
    ['-s - -t -', /standard input \(-\)/],
  ];
  it.each(wrong)('refuses %s in one line', async (words, message) => {
    const { code, out, err } = await dragoman('score', model, ...words.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
    expect(err.trimEnd()).not.toContain('\n');
  });

  it('names the shorter of two files of different length', async () => {
    await writeFile(at('short'), 'öffnen\n');
    const { code, err } = await dragoman('score', model, '-s', at('test.en'), '-t', at('short'));
    expect(code).toBe(2);
    expect(err).toMatch(
      /^dragoman: .*short:2: expected as many lines as in .*test\.en, got the end after 1\n$/,
    );
  });
});

describe('dragoman evaluate', () => {
  it('measures a model', async () => {
    const { out, code } = await dragoman(
      'evaluate',
      model,
      '-s',
      at('test.en'),
      '-r',
      at('test.de'),
      '-m',
      'accuracy',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^accuracy\|.* = \d+\.\d\d % of sequences \(\d+ of 20\)/);
  });
});
