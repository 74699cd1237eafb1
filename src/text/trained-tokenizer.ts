import type { Config, CorpusSpec, TextCorpusSpec, TokenizerSpec } from '../config.js';
import { DragomanError } from '../errors.js';
import { writeSubwordModel } from '../subword/model-file.js';
import { trainSubwordModel } from '../subword/train.js';
import { readPairs, readTexts, requireRereadable } from './corpus.js';
import { SentencePieceTokenizer } from './sentencepiece.js';

/** What reading a corpus may tell on its way. */
export interface ReadingEvents {
  readonly onMessage?: (message: string) => void;
  /** Called with each sentence pair; throwing ends the reading. */
  readonly onPair?: () => void;
}

/**
 * Trains the SentencePiece models that the configuration asks for (`text.source.train`, `text.target.train`) on
 * the training corpus; none for the sides that ask for none. With `text.joint` one model is trained on both
 * sides and serves both.
 */
export async function trainTokenizers(
  config: Config,
  folder: string,
  events: ReadingEvents,
): Promise<{ readonly source?: SentencePieceTokenizer; readonly target?: SentencePieceTokenizer }> {
  const { data, text } = config;
  const trainSide = (side: 'source' | 'target'): Promise<SentencePieceTokenizer | undefined> => {
    async function* lines(): AsyncGenerator<string> {
      for await (const pair of readPairs(data.train, folder)) {
        yield pair[side];
        if (text.joint) yield pair.target;
      }
    }
    return trainTokenizer(lines, text[side], `text.${side}.train`, data.train, folder, events);
  };
  const source = await trainSide('source');
  const target = text.joint ? source : await trainSide('target');
  return { source, target };
}

/** The same for one-sided text; undefined if `spec` does not ask for it. */
export function trainTextTokenizer(
  corpus: TextCorpusSpec,
  spec: TokenizerSpec,
  folder: string,
  events: ReadingEvents,
): Promise<SentencePieceTokenizer | undefined> {
  async function* lines(): AsyncGenerator<string> {
    for await (const { text } of readTexts(corpus, folder)) yield text;
  }
  return trainTokenizer(lines, spec, 'text.tokenizer.train', corpus, folder, events);
}

async function trainTokenizer(
  lines: () => AsyncGenerator<string>,
  spec: TokenizerSpec,
  name: string,
  corpus: CorpusSpec | TextCorpusSpec,
  folder: string,
  { onMessage = () => {}, onPair = () => {} }: ReadingEvents,
): Promise<SentencePieceTokenizer | undefined> {
  if (spec.kind !== 'sentencepiece' || spec.train === undefined) return undefined;
  await requireRereadable(corpus, folder);
  async function* interruptible(): AsyncGenerator<string> {
    for await (const line of lines()) {
      onPair();
      yield line;
    }
  }
  try {
    const model = await trainSubwordModel(interruptible(), spec.train, {
      onMessage: (message) => onMessage(`${name}: ${message}`),
    });
    return new SentencePieceTokenizer(writeSubwordModel(model), name);
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code !== 'usage') throw error;
    throw new DragomanError('config', `${name}: ${error.message}`, { cause: error });
  }
}
