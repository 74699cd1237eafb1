import { basename } from 'node:path';
import { resolveConfig } from '../config.js';
import { loadCodecs } from '../model/folder.js';
import { Random } from '../random.js';
import { buildCodecs, type Codecs } from '../text/codec.js';
import { readPairs } from '../text/corpus.js';
import { encodeCorpus } from '../text/encoded.js';
import type { SpeedData, TrainedModel, TwoFiles } from './speed-case.js';
import { syntheticCodecs, syntheticCorpus } from './synthetic-corpus.js';

/** Entries of the vocabulary, and of the one trained on a corpus of the user's. */
export const VOCABULARY = 8000;
/** Random pairs: a hundred batches. */
const PAIRS = 6400;
/** Tokens a side at most; a longer pair is left out. */
const MAX_LENGTH = 100;

/** Random pairs whose lengths are distributed as Multi30k's. */
export function randomData(seed: number): SpeedData {
  const codecs = syntheticCodecs(VOCABULARY);
  return {
    name: `${PAIRS} random pairs with lengths as in Multi30k, ${VOCABULARY} entries`,
    files: null,
    codecs,
    corpus: syntheticCorpus(new Random(seed), PAIRS, codecs),
  };
}

/** The pairs of two files, cut as a trained model cuts them. */
export async function modelData(files: TwoFiles, { folder, config }: TrainedModel): Promise<SpeedData> {
  return readData(files, await loadCodecs(folder, config));
}

/** The pairs of two files, line by line, cut by a joint unigram model that is trained on them. */
export async function corpusData(files: TwoFiles, onMessage: (message: string) => void): Promise<SpeedData> {
  const side = {
    kind: 'sentencepiece',
    train: { vocabSize: VOCABULARY, hardVocabLimit: false },
  } as const;
  const config = resolveConfig({
    data: { train: files, validation: files },
    text: { source: side, target: side, joint: true },
  });
  return readData(files, await buildCodecs(config, '.', { onMessage }));
}

async function readData(files: TwoFiles, codecs: Codecs): Promise<SpeedData> {
  const name = `${basename(files.source)} and ${basename(files.target)}`;
  const corpus = await encodeCorpus(readPairs(files, '.'), codecs, { maxLength: MAX_LENGTH, name });
  const described = `${corpus.length} pairs of ${name}, ${codecs.source.vocabulary.size} entries`;
  return { name: described, files, codecs, corpus };
}
