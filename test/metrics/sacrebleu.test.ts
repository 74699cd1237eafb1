import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type BleuOptions, bleu, bleuMetric, sentenceBleu } from '../../src/metrics/bleu.js';
import { approximateRandomization, bootstrap, pairedBootstrap } from '../../src/metrics/bootstrap.js';
import { type ChrfOptions, chrf, chrfMetric, sentenceChrf } from '../../src/metrics/chrf.js';
import { fixed } from '../../src/metrics/format.js';
import { corpusStatistics, type Metric } from '../../src/metrics/metric.js';
import { sentenceTer, type TerOptions, ter, terMetric } from '../../src/metrics/ter.js';
import { Random } from '../../src/random.js';

interface BleuFigures {
  score: number;
  signature: string;
  counts: number[];
  totals: number[];
  precisions: number[];
  bp: number;
  sys_len: number;
  ref_len: number;
}
interface ChrfFigures {
  score: number;
  signature: string;
}
interface TerFigures {
  score: number;
  signature: string;
  edits: number;
  ref_length: number;
}
interface ScoredSet {
  hypotheses: string[];
  references: (string | null)[][];
  scores: Record<keyof typeof bleuSettings, BleuFigures> &
    Record<keyof typeof chrfSettings, ChrfFigures> &
    Record<keyof typeof terSettings, TerFigures>;
  /** Of the first lines of the set. */
  sentences: { bleu: number; chrf: number; ter: number }[];
}
interface ResampledFigures {
  mean: number;
  ci: number;
  signature: string;
  bs: { p: number; mean: number; ci: number; signature: string };
  ar: { p: number; signature: string };
}
interface ResampledSet {
  hypotheses: string[];
  other: string[];
  references: (string | null)[][];
  figures: Record<keyof typeof resampledMetrics, ResampledFigures>;
}
interface Answer {
  sacrebleu: string;
  sets: ScoredSet[];
  resampled: ResampledSet[];
}

// The settings under the names that fixtures/make_sacrebleu.py gives them.
const bleuSettings = {
  bleu: {},
  bleuLowercase: { lowercase: true },
  bleuNone: { tokenizer: 'none' },
  bleuIntl: { tokenizer: 'intl' },
  bleuZh: { tokenizer: 'zh' },
  bleuChar: { tokenizer: 'char' },
  bleuFloor: { smoothing: 'floor' },
  bleuAddK: { smoothing: 'add-k', smoothingValue: 0.5 },
  bleuUnsmoothed: { smoothing: 'none' },
  bleuBigrams: { order: 2 },
} as const satisfies Record<string, BleuOptions>;
const chrfSettings = {
  chrf: {},
  chrfLowercase: { lowercase: true },
  chrfPlusPlus: { wordOrder: 2 },
  chrfWhitespace: { whitespace: true, characterOrder: 4, beta: 1 },
  chrfEpsilon: { epsilonSmoothing: true, wordOrder: 1 },
} as const satisfies Record<string, ChrfOptions>;
const terSettings = {
  ter: {},
  terCase: { caseSensitive: true },
  terNormalized: { normalized: true },
  terWords: { punctuation: false },
  terAsian: { normalized: true, asian: true },
  terAsianWords: { normalized: true, punctuation: false, asian: true },
} as const satisfies Record<string, TerOptions>;
const resampledMetrics: Readonly<Record<'bleu' | 'chrf' | 'ter', Metric>> = {
  bleu: bleuMetric(),
  chrf: chrfMetric(),
  ter: terMetric(),
};

const script = fileURLToPath(new URL('fixtures/make_sacrebleu.py', import.meta.url));
const stored = JSON.parse(
  gunzipSync(readFileSync(new URL('fixtures/sacrebleu.json.gz', import.meta.url))).toString(),
) as Answer;

// The version is our own; the order is not in sacreBLEU's signature.
const withoutVersion = (signature: string) => signature.replace(/(\|order:2)?\|version:.*$/, '');
const namesOf = <T extends object>(table: T) => Object.keys(table) as (keyof T)[];

function expectBleu(set: ScoredSet, name: keyof typeof bleuSettings, where: string): void {
  const ours = bleu(set.hypotheses, set.references, bleuSettings[name]);
  const theirs = set.scores[name];
  expect(ours.matches, where).toEqual(theirs.counts);
  expect(ours.totals, where).toEqual(theirs.totals);
  expect([ours.hypothesisLength, ours.referenceLength], where).toEqual([theirs.sys_len, theirs.ref_len]);
  expect(ours.brevityPenalty, where).toBeCloseTo(theirs.bp, 9);
  for (const [order, precision] of theirs.precisions.entries()) {
    expect(ours.precisions[order], where).toBeCloseTo(precision, 9);
  }
  expect(ours.score, where).toBeCloseTo(theirs.score, 8);
  expect(withoutVersion(ours.signature), where).toBe(withoutVersion(theirs.signature));
}

function expectChrf(set: ScoredSet, name: keyof typeof chrfSettings, where: string): void {
  const ours = chrf(set.hypotheses, set.references, chrfSettings[name]);
  expect(ours.score, where).toBeCloseTo(set.scores[name].score, 8);
  expect(withoutVersion(ours.signature), where).toBe(withoutVersion(set.scores[name].signature));
}

function expectTer(set: ScoredSet, name: keyof typeof terSettings, where: string): void {
  const ours = ter(set.hypotheses, set.references, terSettings[name]);
  const theirs = set.scores[name];
  expect(ours.edits, where).toBe(theirs.edits);
  expect(ours.referenceLength, where).toBeCloseTo(theirs.ref_length, 9);
  expect(fixed(ours.score, 2), where).toBe(fixed(theirs.score, 2));
  expect(withoutVersion(ours.signature), where).toBe(withoutVersion(theirs.signature));
}

/**
 * The draws are equal, so the figures are, as far as sacreBLEU's single precision goes: 24 bits, a few millionths of
 * a score of at most some hundred.
 */
function expectResampled(set: ResampledSet, where: string): void {
  for (const name of namesOf(resampledMetrics)) {
    const metric = resampledMetrics[name];
    const theirs = set.figures[name];
    const statistics = (lines: string[]) => corpusStatistics(metric, lines, set.references).statistics;
    const [a, b] = [statistics(set.hypotheses), statistics(set.other)];
    const whole = bootstrap(a, metric.scoreOf, { resamples: 200 });
    const pair = pairedBootstrap(a, b, metric.scoreOf, { resamples: 200 });
    for (const [ours, figures] of [
      [whole, theirs],
      [pair.confidenceB, theirs.bs],
    ] as const) {
      expect(Math.abs(ours.mean - figures.mean), `${name}: ${where}`).toBeLessThan(1e-4);
      expect(Math.abs(ours.halfWidth - figures.ci), `${name}: ${where}`).toBeLessThan(1e-4);
    }
    expect(pair.confidenceA, where).toEqual(whole);
    // The one departure: systems that score alike throughout get 1 here, and the smallest value there is in sacreBLEU.
    const same = pair.difference === 0 && theirs.bs.p === 1 / 201 && theirs.ar.p === 1 / 501;
    expect(pair.pValue, `${name}, bootstrap: ${where}`).toBeCloseTo(same ? 1 : theirs.bs.p, 12);
    const randomized = approximateRandomization(a, b, metric.scoreOf, { trials: 500 });
    // Of three references the mean length is in thirds, which sacreBLEU sums in another order each time: a difference
    // equal to the real one may come out a little above it, which ours, summed alike each time, never does.
    const thirds = a.some((row) => row.some((value) => !Number.isInteger(2 * value)));
    const distance = Math.abs(randomized.pValue - (same ? 1 : theirs.ar.p));
    expect(distance, `${name}, randomization: ${where}`).toBeLessThan(thirds ? 0.02 : 1e-12);
  }
}

function expectSentences(set: ScoredSet, where: string): void {
  for (const [line, theirs] of set.sentences.entries()) {
    const references = set.references
      .map((target) => target[line])
      .filter((text) => typeof text === 'string');
    expect(sentenceBleu(set.hypotheses[line]!, references).score, where).toBeCloseTo(theirs.bleu, 8);
    expect(sentenceChrf(set.hypotheses[line]!, references).score, where).toBeCloseTo(theirs.chrf, 8);
    expect(sentenceTer(set.hypotheses[line]!, references).score, where).toBeCloseTo(theirs.ter, 8);
  }
}

describe('against stored figures of sacreBLEU 2.6.0', () => {
  it('holds at least 200 sets, some of them with a score in each region', () => {
    expect(stored.sacrebleu).toBe('2.6.0');
    expect(stored.sets.length).toBeGreaterThanOrEqual(200);
    const scores = stored.sets.map((set) => set.scores.bleu.score);
    for (const [low, high] of [
      [-1, 0],
      [0, 20],
      [20, 60],
      [60, 99.9],
      [99.9, 101],
    ] as const) {
      expect(scores.filter((score) => score > low && score <= high).length).toBeGreaterThan(9);
    }
  });
  it.each(namesOf(bleuSettings))('%s', (name) => {
    for (const [index, set] of stored.sets.entries()) expectBleu(set, name, `set ${index}`);
  });
  it.each(namesOf(chrfSettings))('%s', (name) => {
    for (const [index, set] of stored.sets.entries()) expectChrf(set, name, `set ${index}`);
  });
  it.each(namesOf(terSettings))('%s', (name) => {
    for (const [index, set] of stored.sets.entries()) expectTer(set, name, `set ${index}`);
  });
  it('intervals and paired tests', () => {
    expect(stored.resampled.length).toBe(20);
    for (const [index, set] of stored.resampled.entries()) expectResampled(set, `resampled set ${index}`);
  });
  it('sentence BLEU, chrF and TER', () => {
    for (const [index, set] of stored.sets.entries()) expectSentences(set, `set ${index}`);
  });
});

describe('against an installed sacreBLEU', () => {
  it('agrees on text made here, of any Unicode characters', (context) => {
    const python = process.env.DRAGOMAN_PYTHON ?? 'python3';
    const probe = spawnSync(python, ['-c', 'import sacrebleu'], { encoding: 'utf8' });
    if (probe.status !== 0) {
      const reason = `no sacreBLEU: ${python} -c "import sacrebleu" failed; set DRAGOMAN_PYTHON to a python that has it`;
      console.warn(`skipped: ${reason}`);
      context.skip(reason);
    }
    const random = new Random(77);
    const given = Array.from({ length: 60 }, () => {
      const original = Array.from({ length: 1 + random.integer(6) }, () => randomLine(random));
      return {
        hypotheses: original.map((line) => shuffledSome(line, random)),
        references: [original, original.map((line) => shuffledSome(line, random))],
      };
    });
    const run = spawnSync(python, [script, '--stdin'], {
      input: JSON.stringify(given),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    expect(run.status, run.stderr).toBe(0);
    const answer = JSON.parse(run.stdout) as Answer;
    expect(answer.sets).toHaveLength(given.length);
    for (const [index, set] of answer.sets.entries()) {
      const where = `set ${index} of sacreBLEU ${answer.sacrebleu}: ${JSON.stringify(given[index])}`;
      for (const name of namesOf(bleuSettings)) expectBleu(set, name, `${name}: ${where}`);
      for (const name of namesOf(chrfSettings)) expectChrf(set, name, where);
      for (const name of namesOf(terSettings)) expectTer(set, name, `${name}: ${where}`);
      expectSentences(set, where);
    }
  });
});

/**
 * Mostly ASCII, so that words repeat; then any code point that this Node knows: which ones are punctuation is a
 * matter of the Unicode version, and an installed Python may know a later one.
 */
function randomLine(random: Random): string {
  const characters = Array.from({ length: random.integer(60) }, () => {
    const kind = random.next();
    if (kind < 0.2) return ' ';
    if (kind < 0.55) return 'aAbB01'[random.integer(6)]!;
    if (kind < 0.85) return String.fromCodePoint(33 + random.integer(94));
    const point = kind < 0.95 ? random.integer(0x3100) : 0x3100 + random.integer(0x1ff00 - 0x3100);
    const character = String.fromCodePoint(point);
    return /[\p{Cn}\p{Cs}]/u.test(character) ? '\u{1f600}' : character;
  });
  return characters.join('');
}

function shuffledSome(line: string, random: Random): string {
  const words = line.split(' ');
  const kind = random.next();
  if (kind < 0.3) return line;
  return (kind < 0.6 ? random.shuffle(words) : words.filter(() => random.next() < 0.8)).join(' ');
}
