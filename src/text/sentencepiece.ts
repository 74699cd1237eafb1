import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SentencePieceProcessor } from 'sentencepiece-js';
import { DragomanError, messageOf } from '../errors.js';
import { unreadable } from './input.js';
import { PieceJoiner } from './sentencepiece-join.js';
import {
  PIECE_TYPES,
  parseSentencePieceModel,
  type SentencePieceModel,
  textPieces,
} from './sentencepiece-model.js';
import type { Tokenizer } from './tokenizer.js';
import { Vocabulary } from './vocabulary.js';

// A processor is a WebAssembly instance with the model in it (20 MB and more): one for each file, both sides
// and every model folder that name the same one included. The time of change is part of the key.
const loaded = new Map<string, Promise<SentencePieceTokenizer>>();

/**
 * Subwords of a SentencePiece `.model` file, exactly those of Google's own tool (Kudo & Richardson 2018).
 * Segmenting normalizes as the model says, so joining gives the normalized text back. With the rare model that
 * also changes decoded text by a table, the library joins, which shows any character it does not know as ` ⁇ `.
 */
export class SentencePieceTokenizer implements Tokenizer {
  readonly kind = 'sentencepiece';
  /** Where the `.model` file was, an absolute path. */
  readonly file: string;
  /** Its content when it was loaded, for a model folder that takes it along. */
  readonly bytes: Uint8Array;
  /** The specials, then every normal, user-defined and byte piece in the file's order. */
  readonly vocabulary: Vocabulary;
  readonly #processor: SentencePieceProcessor;
  readonly #joiner: PieceJoiner;
  /** Ids for the library, if the model changes decoded text by a table, which only the library can apply. */
  readonly #ids: ReadonlyMap<string, number> | null;
  readonly #unknownId: number;

  private constructor(
    file: string,
    bytes: Uint8Array,
    model: SentencePieceModel,
    processor: SentencePieceProcessor,
  ) {
    this.file = file;
    this.bytes = bytes;
    this.vocabulary = Vocabulary.of(textPieces(model), file);
    this.#processor = processor;
    this.#joiner = new PieceJoiner(model);
    this.#unknownId = model.pieces.findIndex(({ type }) => type === PIECE_TYPES.unknown);
    this.#ids = model.denormalizes ? new Map(model.pieces.map(({ piece }, id) => [piece, id])) : null;
  }

  /** Loads a `.model` file, relative to `folder`, once. */
  static async load(path: string, folder: string): Promise<SentencePieceTokenizer> {
    const file = resolve(folder, path);
    try {
      const { mtimeMs, size } = await stat(file);
      const key = JSON.stringify([file, mtimeMs, size]);
      const known = loaded.get(key) ?? SentencePieceTokenizer.#open(file, path);
      loaded.set(key, known);
      // A failure is not kept: the next attempt looks again.
      known.catch(() => loaded.delete(key));
      return await known;
    } catch (error) {
      throw unreadable(error, path, 0);
    }
  }

  static async #open(file: string, name: string): Promise<SentencePieceTokenizer> {
    const bytes = await readFile(file);
    const model = parseSentencePieceModel(bytes, name);
    const processor = await loadProcessor(file, name);
    const tokenizer = new SentencePieceTokenizer(file, bytes, model, processor);
    // The library says nothing when it cannot use a model: it then segments nothing.
    if (processor.encodeIds('a').length === 0) {
      throw new DragomanError(
        'input',
        `${name}: expected a model that SentencePiece can use, got one it refuses`,
      );
    }
    return tokenizer;
  }

  segment(text: string): string[] {
    return this.#processor.encodePieces(text.toWellFormed());
  }

  join(tokens: readonly string[]): string {
    const ids = this.#ids;
    if (ids === null) return this.#joiner.join(tokens);
    return this.#processor.decodeIds(tokens.map((token) => ids.get(token) ?? this.#unknownId));
  }
}

type Handler = Parameters<typeof process.off>[1];

/**
 * sentencepiece-js hangs handlers for `uncaughtException` and `unhandledRejection` on the process with every
 * load, at some moment of it. They are known by who hangs them, so that nobody else's are touched.
 */
async function loadProcessor(file: string, name: string): Promise<SentencePieceProcessor> {
  const { SentencePieceProcessor } = await import('sentencepiece-js');
  const hung: [string, Handler][] = [];
  const watch = (event: string, handler: Handler): void => {
    if (new Error().stack?.includes('sentencepiece-js')) hung.push([event, handler]);
  };
  const processor = new SentencePieceProcessor();
  process.on('newListener', watch);
  try {
    await processor.load(file);
  } catch (error) {
    throw new DragomanError('input', `${name}: expected a SentencePiece model, got ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    process.off('newListener', watch);
    for (const [event, handler] of hung) process.off(event, handler);
  }
  return processor;
}
