import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type ConfigInput, resolveConfig } from '../../src/config.js';
import { writeSubwordModel } from '../../src/subword/model-file.js';
import { buildCodecs } from '../../src/text/codec.js';
import { readPairs } from '../../src/text/corpus.js';
import { encodeCorpus } from '../../src/text/encoded.js';
import { Resegmentation } from '../../src/text/resegmentation.js';
import { smallModel } from '../subword/small-models.js';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const type of ['unigram', 'bpe', 'char'] as const) {
  writeFileSync(
    join(folder, `${type}.model`),
    writeSubwordModel(smallModel({ type, normalization: 'identity' })),
  );
}
const sentences = ['The ferry leaves at seven.', 'The river was too deep', '', 'Save files?', 'a 🎉 b'];
writeFileSync(join(folder, 'text'), sentences.map((line) => `${line}\n`).join(''));

type Segmentation = NonNullable<NonNullable<ConfigInput['train']>['segmentation']>;
async function corpusWith(source: string, segmentation: Segmentation, { seed = 1, maxLength = 100 } = {}) {
  const files = { source: 'text', target: 'text' };
  const config = resolveConfig({
    seed,
    data: { train: files, validation: files, maxLength },
    text: {
      source: { kind: 'sentencepiece', model: `${source}.model` },
      target: { kind: 'sentencepiece', model: 'bpe.model' },
    },
    train: { segmentation },
  });
  const codecs = await buildCodecs(config, folder);
  const resegmentation = Resegmentation.of(config, codecs);
  const corpus = await encodeCorpus(readPairs(config.data.train, folder), codecs, {
    maxLength,
    onKept: (pair) => resegmentation?.add(pair),
  });
  return { codecs, corpus, resegmentation };
}
const both: Segmentation = {
  source: { kind: 'sampling', alpha: 0.1 },
  target: { kind: 'bpe-dropout', dropout: 0.5 },
};

test('other pieces in every epoch, of the same text', async () => {
  const { codecs, corpus, resegmentation } = await corpusWith('unigram', both);
  const kept = sentences.filter((line) => line !== '' && !line.includes('🎉'));
  expect(corpus.length).toBe(4);
  for (const side of ['source', 'target'] as const) {
    const seen = Array.from({ length: 20 }, (_, epoch) =>
      kept
        .map((line, i) => {
          const ids = resegmentation!.epoch(corpus, epoch)[side](i);
          expect(codecs[side].decode(ids)).toBe(line);
          return ids.join();
        })
        .join(';'),
    );
    expect(new Set(seen).size).toBeGreaterThan(15);
  }
});

test('the same in every run, in whatever order they are asked for; another with another seed', async () => {
  const [one, two, other] = await Promise.all([
    corpusWith('unigram', both),
    corpusWith('unigram', both),
    corpusWith('unigram', both, { seed: 2 }),
  ]);
  const ids = ({ corpus, resegmentation }: typeof one, order: readonly number[]) => {
    const found = new Map<number, string>();
    for (const i of order) {
      const { source, target } = resegmentation!.epoch(corpus, Math.floor(i / 4));
      found.set(i, `${source(i % 4).join()} ${target(i % 4).join()}`);
    }
    return order.toSorted((a, b) => a - b).map((i) => found.get(i));
  };
  const order = Array.from({ length: 24 }, (_, i) => i);
  expect(ids(two, order.toReversed())).toEqual(ids(one, order));
  expect(ids(other, order)).not.toEqual(ids(one, order));
});

test('a sentence stays within the longest allowed', async () => {
  const { corpus, resegmentation } = await corpusWith(
    'unigram',
    { source: { kind: 'sampling', alpha: 0 } },
    { maxLength: 20 },
  );
  for (let epoch = 0; epoch < 30; epoch++) {
    const { source, target } = resegmentation!.epoch(corpus, epoch);
    for (let i = 0; i < corpus.length; i++) {
      expect(source(i).length).toBeLessThanOrEqual(20);
      expect(target(i)).toEqual(corpus.target(i)); // always the best
    }
  }
});

test('is not there when not asked for; a model of another type is an error', async () => {
  expect((await corpusWith('unigram', {})).resegmentation).toBeNull();
  await expect(corpusWith('bpe', both)).rejects.toThrow(
    'train.segmentation.source: expected a SentencePiece model of type unigram in text.source for sampling, got bpe',
  );
  await expect(corpusWith('char', { source: { kind: 'bpe-dropout' } })).rejects.toThrow(
    'train.segmentation.source: expected a SentencePiece model of type bpe in text.source for bpe-dropout, got char',
  );
});
