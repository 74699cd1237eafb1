import protobuf from 'protobufjs/light.js';
import { DragomanError, messageOf } from '../errors.js';

/** What a piece is, by its number in the file. */
export const PIECE_TYPES = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;
export type PieceType = (typeof PIECE_TYPES)[keyof typeof PIECE_TYPES];

export interface Piece {
  readonly piece: string;
  readonly score: number;
  readonly type: PieceType;
}

/** What Dragoman needs of a SentencePiece `.model` file. */
export interface SentencePieceModel {
  /** In the order of the file, which is the order of the model's own ids. */
  readonly pieces: readonly Piece[];
  /** How the unknown piece appears in decoded text. */
  readonly unknownSurface: string;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  /** Decoded text goes through a table of replacements, which only the library can apply. */
  readonly denormalizes: boolean;
}

/**
 * Fields of SentencePiece's `sentencepiece_model.proto` (proto2) that are read here; all others are skipped.
 * Numbers and defaults are those of the format.
 */
const SCHEMA = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      edition: 'proto2', // fields know whether they are there, so that an explicit false is no default
      fields: {
        pieces: { rule: 'repeated', type: 'SentencePiece', id: 1 },
        trainerSpec: { type: 'TrainerSpec', id: 2 },
        normalizerSpec: { type: 'NormalizerSpec', id: 3 },
        denormalizerSpec: { type: 'NormalizerSpec', id: 5 },
      },
    },
    SentencePiece: {
      edition: 'proto2',
      fields: {
        piece: { type: 'string', id: 1 },
        score: { type: 'float', id: 2 },
        type: { type: 'int32', id: 3, options: { default: PIECE_TYPES.normal } },
      },
    },
    TrainerSpec: {
      edition: 'proto2',
      fields: {
        modelType: { type: 'int32', id: 3, options: { default: 1 } },
        unkSurface: { type: 'string', id: 44, options: { default: ' \u2047 ' } },
      },
    },
    NormalizerSpec: {
      edition: 'proto2',
      fields: {
        precompiledCharsmap: { type: 'bytes', id: 2 },
        addDummyPrefix: { type: 'bool', id: 3, options: { default: true } },
        removeExtraWhitespaces: { type: 'bool', id: 4, options: { default: true } },
      },
    },
  },
});

/** The decoded message: absent scalars stand at their defaults, absent messages are null. */
interface ModelProto {
  readonly pieces: readonly { readonly piece: string; readonly score: number; readonly type: number }[];
  readonly trainerSpec: { readonly modelType: number; readonly unkSurface: string } | null;
  readonly normalizerSpec: NormalizerSpec | null;
  readonly denormalizerSpec: NormalizerSpec | null;
}
interface NormalizerSpec {
  readonly precompiledCharsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
}

/** unigram, bpe, word, char */
const MODEL_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4]);

/**
 * Reads a `.model` file and checks all that SentencePiece itself relies on, so that what is no whole model is
 * an error here: the library would load it without a word and segment nothing. `file` stands in errors.
 */
export function parseSentencePieceModel(bytes: Uint8Array, file: string): SentencePieceModel {
  let proto: ModelProto;
  try {
    // The schema above is what types this.
    proto = SCHEMA.lookupType('ModelProto').decode(bytes) as protobuf.Message & ModelProto;
  } catch (error) {
    throw noModel(file, `bytes that are none (${messageOf(error)})`, error);
  }
  const { trainerSpec, normalizerSpec, denormalizerSpec } = proto;
  if (proto.pieces.length === 0) throw noModel(file, 'no pieces');
  if (trainerSpec === null || normalizerSpec === null) throw noModel(file, 'one that ends too early');
  if (!MODEL_TYPES.has(trainerSpec.modelType)) throw noModel(file, `model type ${trainerSpec.modelType}`);

  const pieces = proto.pieces.map(({ piece, score, type }, id): Piece => {
    if (piece === '') throw noModel(file, `an empty piece ${id}`);
    if (!isPieceType(type)) throw noModel(file, `piece ${id} of unknown type ${type}`);
    if (!Number.isFinite(score)) throw noModel(file, `piece ${id} with score ${score}`);
    return { piece, score, type };
  });
  if (new Set(pieces.map(({ piece }) => piece)).size < pieces.length) throw noModel(file, 'a piece twice');
  const unknown = pieces.filter(({ type }) => type === PIECE_TYPES.unknown).length;
  if (unknown !== 1) throw noModel(file, `${unknown} unknown pieces instead of one`);
  return {
    pieces,
    unknownSurface: trainerSpec.unkSurface,
    addDummyPrefix: normalizerSpec.addDummyPrefix,
    removeExtraWhitespaces: normalizerSpec.removeExtraWhitespaces,
    denormalizes: (denormalizerSpec?.precompiledCharsmap.length ?? 0) > 0,
  };
}

/** The pieces that text is cut into: all but the unknown one, control symbols and unused ones, in file order. */
export function textPieces(model: SentencePieceModel): string[] {
  const kept: ReadonlySet<PieceType> = new Set([
    PIECE_TYPES.normal,
    PIECE_TYPES.userDefined,
    PIECE_TYPES.byte,
  ]);
  return model.pieces.filter(({ type }) => kept.has(type)).map(({ piece }) => piece);
}

function isPieceType(type: number): type is PieceType {
  return (Object.values(PIECE_TYPES) as readonly number[]).includes(type);
}

function noModel(file: string, got: string, cause?: unknown): DragomanError {
  return new DragomanError('input', `${file}: expected a whole SentencePiece model, got ${got}`, { cause });
}
