import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Confidence } from '../../src/metrics/bootstrap.js';
import type { TerScore } from '../../src/metrics/ter.js';
import { dragoman } from './terminal.js';

const INTERVALS = `\
BLEU|nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 66.44 (μ = 43.99 ± 36.74) \
72.7/71.4/75.0/50.0 (BP = 1.000 ratio = 1.000 hyp_len = 11 ref_len = 11)
TER|nrefs:1|bs:1000|seed:12345|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0 = 27.27 (μ = 29.90 ± 28.79)
`;

let folder: string;
const file = async (name: string, ...lines: string[]): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return path;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dragoman-evaluate-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('dragoman evaluate --hypothesis', () => {
  it('measures a file against references, with signatures', async () => {
    const hypothesis = await file('h', 'the cat sat on the mat', 'a dog');
    const one = await file('r1', 'the cat sat on the mat', 'the dog');
    const two = await file('r2', 'a cat sat there', 'a dog');
    const { code, out, err } = await dragoman('evaluate', '--hypothesis', hypothesis, '-r', one, '-r', two);
    expect(err).toBe('');
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(
      /^BLEU\|nrefs:2\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:\S+ = 100\.00 /,
    );
    expect(lines[1]).toMatch(/^chrF2\|nrefs:2\|.* = 100\.00/);
    expect(lines[2]).toMatch(/100\.00 % of sequences \(2 of 2\), 100\.00 % of tokens \(8 of 8\)/);
    expect(lines[3]).toMatch(/^WER\|.* = 0\.00 % \(0 edits, 8 tokens\)/);
  });

  it('takes metrics by name, and prints JSON', async () => {
    const hypothesis = await file('h', 'A b c d');
    const reference = await file('r', 'a b c x');
    const { out } = await dragoman(
      ...['evaluate', '--hypothesis', hypothesis, '-r', reference, '--format', 'json', '--lowercase'],
      ...['-m', 'accuracy', 'chrf++', '-m', 'error-rate', '--unit', 'character'],
    );
    const scores = JSON.parse(out) as { metric: string; score?: number; token?: number }[];
    expect(scores.map((score) => score.metric)).toEqual(['accuracy', 'chrF2++', 'CER']);
    expect(scores[0]?.token).toBe(75);
    expect(scores[2]?.score).toBe(25);
  });

  it('measures pronunciations with ragged references', async () => {
    const hypothesis = await file('h', 'A B', 'C');
    const one = await file('r1', 'A X', 'C');
    const two = await file('r2', 'A B', '');
    const { out } = await dragoman('evaluate', '--hypothesis', hypothesis, '-r', one, '-r', two, '-m', 'g2p');
    expect(out).toMatch(
      /^G2P\|.* = 0\.00 % of words wrong \(0 of 2\), 0\.00 % of phones \(0 edits, 3 phones\)\n$/,
    );
  });

  it('takes several references after one option, gzipped ones too, and TER', async () => {
    const hypothesis = await file('h', 'c d a b x', 'e f');
    const one = await file('r1', 'a b c d e', 'e f');
    const two = join(folder, 'r2.gz');
    await writeFile(two, gzipSync('q r s t u\ne f g h\n'));
    const { out, err } = await dragoman(
      ...['evaluate', '--hypothesis', hypothesis, '--reference', one, two, '--metrics', 'ter', '-w', '3'],
    );
    expect(err).toBe('');
    // A shift and a substitution, nothing; over mean lengths 5 and 3.
    expect(out).toMatch(/^TER\|nrefs:2\|case:lc\|tok:tercom\|norm:no\|punct:yes\|asian:no\|\S+ = 25\.000\n$/);
  });

  it('passes every setting on to its metric', async () => {
    const hypothesis = await file('h', 'A, b c D e.');
    const reference = await file('r', 'a b, c d e f');
    const signed = async (...words: string[]) => {
      const { out, err } = await dragoman('evaluate', '--hypothesis', hypothesis, '-r', reference, ...words);
      expect(err).toBe('');
      return out.replace(/\|version.*\n/s, '');
    };
    expect(
      await signed('-m', 'bleu', '--lowercase', '--tokenize', 'none', '--smooth', 'floor', '--order', '2'),
    ).toBe('BLEU|nrefs:1|case:lc|eff:no|tok:none|smooth:floor[0.10]|order:2');
    expect(
      await signed('--metric', 'bleu', '--tokenizer', 'intl', '--smooth', 'add-k', '--smooth-value', '0.5'),
    ).toBe('BLEU|nrefs:1|case:mixed|eff:no|tok:intl|smooth:add-k[0.50]');
    expect(await signed('-m', 'bleu', '--effective-order')).toMatch(/\|eff:yes\|/);
    expect(
      await signed(
        ...['-m', 'chrf', '--chrf-char-order', '5', '--chrf-word-order', '1', '--chrf-beta', '3'],
        ...['--chrf-whitespace', '--chrf-eps-smoothing', '--lowercase'],
      ),
    ).toBe('chrF3+|nrefs:1|case:lc|eff:no|nc:5|nw:1|space:yes');
    expect(
      await signed(
        ...['-m', 'ter', '--ter-case-sensitive', '--ter-normalized', '--ter-no-punct', '--ter-asian-support'],
      ),
    ).toBe('TER|nrefs:1|case:mixed|tok:tercom|norm:yes|punct:no|asian:yes');
  });

  it('prints a line for each sentence', async () => {
    const hypothesis = await file('h', 'a b c d', 'x');
    const one = await file('r1', 'a b c e', 'y');
    const two = await file('r2', 'q', '');
    const run = (...words: string[]) =>
      dragoman('evaluate', '--hypothesis', hypothesis, '-r', one, two, '--sentence-level', ...words);
    const { out } = await run('-m', 'ter', 'bleu', '--score-only');
    // Mean lengths (4 + 1) / 2 and (1 + 0) / 2. BLEU: (3/4 · 2/3 · 1/2 · 1/2)^(1/4), nothing.
    expect(out).toBe('40.00\t59.46\n200.00\t0.00\n');
    expect((await run('-m', 'bleu')).out).toMatch(
      /^BLEU\|nrefs:2\|case:mixed\|eff:yes\|tok:13a.*\nBLEU.*\n$/,
    );
    const json = (await run('-m', 'ter', '--empty-is-none', '--format', 'json')).out.trimEnd().split('\n');
    const sentences = json.map((line) => JSON.parse(line) as { line: number; scores: TerScore[] });
    expect(
      sentences.map(({ line, scores }) => [line, scores[0]?.score, scores[0]?.signature.slice(0, 7)]),
    ).toEqual([
      [1, 40, 'nrefs:2'],
      [2, 100, 'nrefs:1'],
    ]);
  });

  it('gives intervals, and says so in the signature', async () => {
    const hypothesis = await file('h', 'a b c d e', 'x y', 'k l m', 'a');
    const reference = await file('r', 'a b c d f', 'x z', 'k l m', 'b');
    const run = (...words: string[]) =>
      dragoman('evaluate', '--hypothesis', hypothesis, '-r', reference, '--confidence', ...words);
    // From sacrebleu 2.6.0: sacrebleu r -i h -m bleu ter --confidence -w 2 -f text; the second with --short -cin 50.
    const { out } = await run('-m', 'bleu', 'ter');
    expect(out.replaceAll(/version:\S*/g, 'version:2.6.0')).toBe(INTERVALS);
    const short = (await run('-m', 'ter', '--short', '--resamples', '50')).out;
    expect(short.replace(/v:\S*/, 'v:2.6.0')).toBe(
      'TER|#:1|bs:50|rs:12345|c:lc|t:tercom|nr:no|pn:yes|as:no|v:2.6.0 = 27.27 (μ = 29.65 ± 27.08)\n',
    );
    const [ours] = JSON.parse((await run('-m', 'ter', '--format', 'json')).out) as [
      { confidence: Confidence },
    ];
    expect(ours.confidence.low).toBeLessThan(ours.confidence.mean);
    const seeded = (seed: string) => run('-m', 'ter', '--resampling-seed', seed);
    expect((await seeded('1')).out).not.toBe((await seeded('2')).out);
  });

  it('sets several systems side by side, and tests them against the first', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `w${i} a b c d e`);
    const reference = await file('r', ...lines);
    const good = await file('good', ...lines.map((line, i) => (i % 5 === 0 ? line.replace('a', 'x') : line)));
    const bad = await file('bad', ...lines.map((line, i) => (i % 5 === 0 ? line : line.replace('a', 'x'))));
    const run = (...words: string[]) =>
      dragoman('evaluate', '--hypothesis', bad, '--hypothesis', good, '-r', reference, ...words);
    const plain = (await run('-m', 'bleu', 'ter')).out;
    // 16 and 4 substitutions among 120 words.
    expect(plain).toMatch(/bad +│ [\d.]+ +│ 13\.33 +│\n/);
    expect(plain).toMatch(/good +│ [\d.]+ +│ 3\.33 +│\n/);
    expect(plain).toMatch(/\nBLEU\|nrefs:1\|case.*\nTER\|nrefs:1\|case.*\n$/);
    const bootstrap = (await run('-m', 'ter', '--paired-bs')).out;
    expect(bootstrap).toMatch(/TER \(μ ± 95% CI\)/);
    expect(bootstrap).toMatch(/good +│ 3\.33 \(3\.\d\d ± \d\.\d\d\) p = 0\.00\d\d\* │\n/);
    expect(bootstrap).toMatch(/\nTER\|nrefs:1\|bs:1000\|seed:12345\|case:lc/);
    const swaps = (await run('-m', 'ter', '--paired-ar', '--resamples', '2000')).out;
    expect(swaps).toMatch(/good +│ 3\.33 p = 0\.0\d\d\d\* +│\n/);
    expect(swaps).toMatch(/2000 trials; \* below 0\.05\nTER\|nrefs:1\|ar:2000\|seed:12345\|case:lc/);
    const [, second] = JSON.parse((await run('-m', 'ter', '--paired-bs', '--format', 'json')).out) as {
      system: string;
      scores: { score: number; comparison?: { difference: number; pValue: number; shareHigher: number } }[];
    }[];
    expect(second).toMatchObject({ system: good, scores: [{ comparison: { shareHigher: 0 } }] });
    expect(second?.scores[0]?.comparison?.difference).toBeCloseTo(-10, 9);
  });

  it('measures short and long sentences apart', async () => {
    const source = await file('s', 'one', 'one two three', 'two words', 'now there are six words here');
    const good = await file('good', 'a b c d', 'a b c d e', 'x y z', 'k l m n o p q');
    const bad = await file('bad', 'a b c x', 'a b c d x', 'x y z', 'k x m x o x q');
    const reference = await file('r', 'a b c d', 'a b c d e', 'x y z', 'k l m n o p q');
    const run = (...words: string[]) =>
      dragoman('evaluate', '--hypothesis', good, bad, '-r', reference, '-m', 'ter', ...words);
    const { out, err } = await run('-s', source, '--by-length', '1,3,4');
    expect(err).toBe('');
    // Substitutions of bad: one among 4 words, one among 5 + 3, none where there is no line, three among 7.
    const rows = out.split('\n').flatMap((line) => {
      const cells = [...line.matchAll(/│ ([^│]*?) +(?=│)/g)].map((match) => match[1]!);
      return cells.length > 0 ? [cells] : [];
    });
    expect(rows).toEqual([
      ['Words', 'Lines', `TER ${good}`, `TER ${bad}`],
      ['0-1', '1', '0.00', '25.00'],
      ['2-3', '2', '0.00', '12.50'],
      ['4', '0', '-', '-'],
      ['over 4', '1', '0.00', '42.86'],
    ]);
    expect(out).toMatch(/\nTER\|nrefs:1\|.*\n$/);

    // Without a source the reference's words count: 4, 5, 3 and 7.
    const json = await run('--by-length', '4', '--format', 'json', '--confidence', '--resamples', '20');
    const [, second] = JSON.parse(json.out) as {
      system: string;
      signature: string;
      classes: { from: number; to: number | null; lines: number; score: number; confidence: Confidence }[];
    }[];
    expect(second?.system).toBe(bad);
    expect(second?.signature).toContain('|bs:20|');
    expect(second?.classes).toMatchObject([
      { from: 0, to: 4, lines: 2, meanLength: 3.5, score: expect.closeTo(100 / 7, 9) },
      { from: 5, to: null, lines: 2, meanLength: 6, score: expect.closeTo(400 / 12, 9) },
    ]);
    expect(second?.classes[1]?.confidence.high).toBeGreaterThan(100 / 3);

    const plot = join(folder, 'length.svg');
    expect((await run('--by-length', '4', '--plot', plot)).code).toBe(0);
    expect(await readFile(plot, 'utf8')).toMatch(/^<svg .*words of a sentence.*TER.*<\/svg>\n$/s);
    const again = await run('--by-length', '4', '--plot', plot);
    expect(again.code).toBe(2);
    expect(again.err).toBe(
      `dragoman: ${plot}: the file exists; give another name, or --overwrite to replace it\n`,
    );
    expect((await run('--by-length', '4', '--plot', plot, '--overwrite')).code).toBe(0);
  });

  it('refuses what does not fit, in one line', async () => {
    const two = await file('two', 'a', 'b');
    const one = await file('one', 'a');
    const tell = async (...words: string[]) => {
      const { code, out, err } = await dragoman('evaluate', ...words);
      expect(code).toBe(2);
      expect(out).toBe('');
      return err;
    };
    expect(await tell('--hypothesis', two, '-r', one)).toBe(
      `dragoman: ${one}: expected 2 lines as in ${two}, got 1\n`,
    );
    expect(await tell('--hypothesis', two, '-r', join(folder, 'none'))).toMatch(
      /^dragoman: .*none: .*no such file\n$/,
    );
    expect(await tell('-r', one)).toBe('dragoman: expected a model folder, or --hypothesis FILE\n');
    expect(await tell('m', '-r', one)).toBe('dragoman: expected --source FILE beside the model\n');
    expect(await tell('m', '--hypothesis', two, '-r', one)).toBe(
      'dragoman: expected a model or --hypothesis, got both\n',
    );
    expect(await tell('--hypothesis', two, '-r', two, '--beam', '3')).toBe(
      'dragoman: --beam has no meaning with --hypothesis\n',
    );
    expect(await tell('--hypothesis', two, '-r', two, '-m', 'g2p', '--lowercase')).toBe(
      'dragoman: --lowercase changes none of these metrics\n',
    );
    const both = ['--hypothesis', two, join(folder, 'h'), '-r', two];
    await file('h', 'a', 'b');
    for (const [words, complaint] of [
      [['--paired-bs'], '--paired-bs needs two or more --hypothesis files'],
      [['--resamples', '9'], '--resamples needs --confidence, --paired-bs or --paired-ar'],
      [['--sentence-level', '--confidence'], '--confidence has no meaning with --sentence-level'],
      [['-m', 'ter', '--lowercase'], '--lowercase changes none of these metrics'],
      [['-m', 'chrf++', '--chrf-word-order', '1'], '--chrf-word-order changes none of these metrics'],
      [['-m', 'ter', '--ter-asian-support'], '--ter-asian-support needs --ter-normalized or --ter-no-punct'],
      [['--tokenize', '13a', '--tokenizer', 'zh'], '--tokenizer is another name of --tokenize: give one'],
      [['--smooth-value', '2'], 'BLEU smoothing: exp takes no value, got 2'],
      [['-w', '21'], '--width: expected at most 20, got 21'],
      [['-s', two], '--source has a meaning with --hypothesis only for --by-length'],
      [['--plot', 'x.svg'], '--plot needs --by-length'],
      [['--by-length', '3', '--plot', 'x.svg'], '--plot: expected one metric, got 4'],
      [['--by-length', '3', '--overwrite'], '--overwrite needs --plot'],
      [['--by-length', '3', '--sentence-level'], '--sentence-level has no meaning with --by-length'],
      [['--by-length', '3,2'], 'lengths: expected rising whole numbers from 1 on, got 3 2'],
      [['--by-length', '3', '-s', one], `${two}: expected 1 lines as in ${one}, got 2`],
      [['--short', '--score-only'], '--short has no meaning with --score-only'],
      [
        ['--format', 'json', '-w', '3'],
        '--width has no meaning with --format json, which has every figure in full',
      ],
      [
        ['--tokenize', 'ja-mecab'],
        'BLEU tokenizer: expected one of 13a, intl, zh, char, none, got "ja-mecab", which needs MeCab and a Japanese dictionary',
      ],
    ] as const) {
      expect(await tell('--hypothesis', two, '-r', two, ...words)).toBe(`dragoman: ${complaint}\n`);
    }
    for (const [words, complaint] of [
      [['--paired-bs', '--paired-ar'], '--paired-ar has no meaning with --paired-bs: expected one of them'],
      [
        ['--paired-ar', '--confidence'],
        '--confidence has no meaning with --paired-ar; --paired-bs has intervals',
      ],
      [['--score-only'], '--score-only has no meaning with several systems, which come as a table'],
      [['--sentence-level'], '--sentence-level: expected one system, got several'],
      [['--hypothesis', two], `expected systems of different names, got ${two} twice`],
    ] as const) {
      expect(await tell(...both, ...words)).toBe(`dragoman: ${complaint}\n`);
    }
    expect(await tell('--hypothesis', '-', '-r', '-')).toBe(
      'dragoman: expected standard input (-) for one file, got it for several\n',
    );
    expect(await tell('-s', two, '-r', two, folder)).toBe(
      `dragoman: ${folder}: expected the model folder before --reference, got it after\n`,
    );
    const empty = await file('empty');
    expect(await tell('--hypothesis', empty, '-r', empty)).toMatch(/^dragoman: .*expected at least one/);
  });
});
