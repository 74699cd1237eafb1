import type { Config } from '../config.js';
import { DragomanError } from '../errors.js';
import { writeSubwordModel } from '../subword/model-file.js';
import { trainSubwordModel } from '../subword/train.js';
import { readPairs, requireRereadable } from './corpus.js';
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
  const { joint } = config.text;
  const source = await trainTokenizer(config, folder, 'source', joint, events);
  const target = joint ? source : await trainTokenizer(config, folder, 'target', false, events);
  return { source, target };
}

async function trainTokenizer(
  config: Config,
  folder: string,
  side: 'source' | 'target',
  joint: boolean,
  { onMessage = () => {}, onPair = () => {} }: ReadingEvents,
): Promise<SentencePieceTokenizer | undefined> {
  const spec = config.text[side];
  if (spec.kind !== 'sentencepiece' || spec.train === undefined) return undefined;
  const { train } = config.data;
  await requireRereadable(train, folder);
  async function* lines(): AsyncGenerator<string> {
    for await (const pair of readPairs(train, folder)) {
      onPair();
      yield pair[side];
      if (joint) yield pair.target;
    }
  }
  const name = `text.${side}.train`;
  try {
    const model = await trainSubwordModel(lines(), spec.train, {
      onMessage: (message) => onMessage(`${name}: ${message}`),
    });
    return new SentencePieceTokenizer(writeSubwordModel(model), name);
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code !== 'usage') throw error;
    throw new DragomanError('config', `${name}: ${error.message}`, { cause: error });
  }
}
