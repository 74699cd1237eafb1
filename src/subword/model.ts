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

/** How text is cut, by its number in the file. */
export const MODEL_TYPES = { unigram: 1, bpe: 2, word: 3, char: 4 } as const;
export type ModelType = keyof typeof MODEL_TYPES;

/** Stands for a space in pieces: U+2581. */
export const SPACE_SYMBOL = '\u2581'; // ▁

export interface Piece {
  readonly piece: string;
  /** Unigram: ln of its probability. BPE: the higher, the earlier it is merged. A 32-bit float in the file. */
  readonly score: number;
  readonly type: PieceType;
}

/** A scalar or list of a message: its number, its type on the wire, and its value where the file has none. */
interface Field<T> {
  readonly id: number;
  readonly type: 'string' | 'int32' | 'uint32' | 'float' | 'bool' | 'bytes';
  readonly value: T;
}
type Values<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

const text = (id: number, value = ''): Field<string> => ({ id, type: 'string', value });
const texts = (id: number): Field<readonly string[]> => ({ id, type: 'string', value: [] });
const integer = (id: number, value: number): Field<number> => ({ id, type: 'int32', value });
const float = (id: number, value: number): Field<number> => ({ id, type: 'float', value });
const flag = (id: number, value: boolean): Field<boolean> => ({ id, type: 'bool', value });

/**
 * Fields of the format's `TrainerSpec` with their numbers and defaults (`sentencepiece_model.proto` of
 * SentencePiece 0.2, proto2). Those that are not here, differential privacy and deprecated ones, survive
 * reading and writing as unknown fields; extensions of single pieces do not.
 */
export const TRAINER_FIELDS = {
  input: texts(1),
  modelPrefix: text(2),
  vocabSize: integer(4, 8000),
  acceptLanguage: texts(5),
  selfTestSampleSize: integer(6, 0),
  inputFormat: text(7),
  characterCoverage: float(10, 0.9995),
  /** 0 is all. 64 bits in the format; as 32 it reads and writes the same up to 4 billion. */
  inputSentenceSize: { id: 11, type: 'uint32', value: 0 } as Field<number>,
  seedSentencepieceSize: integer(14, 1_000_000),
  shrinkingFactor: float(15, 0.75),
  numThreads: integer(16, 16),
  numSubIterations: integer(17, 2),
  /** In bytes. */
  maxSentenceLength: integer(18, 4192),
  shuffleInputSentence: flag(19, true),
  /** In characters. */
  maxSentencepieceLength: integer(20, 16),
  splitByUnicodeScript: flag(21, true),
  splitByWhitespace: flag(22, true),
  splitByNumber: flag(23, true),
  treatWhitespaceAsSuffix: flag(24, false),
  splitDigits: flag(25, false),
  allowWhitespaceOnlyPieces: flag(26, false),
  controlSymbols: texts(30),
  userDefinedSymbols: texts(31),
  vocabularyOutputPieceScore: flag(32, true),
  hardVocabLimit: flag(33, true),
  useAllVocab: flag(34, false),
  /** Characters that the model does not know become pieces of their bytes. */
  byteFallback: flag(35, false),
  requiredChars: text(36),
  unkId: integer(40, 0),
  bosId: integer(41, 1),
  eosId: integer(42, 2),
  padId: integer(43, -1),
  /** How the unknown piece appears in decoded text. */
  unkSurface: text(44, ' \u2047 '),
  unkPiece: text(45, '<unk>'),
  bosPiece: text(46, '<s>'),
  eosPiece: text(47, '</s>'),
  padPiece: text(48, '<pad>'),
  trainExtremelyLargeCorpus: flag(49, false),
  pretokenizationDelimiter: text(53),
} as const;

/** Fields of the format's `NormalizerSpec`. */
export const NORMALIZER_FIELDS = {
  name: text(1),
  /** Replacements as a trie: see charsmap.ts. Empty: none. */
  precompiledCharsmap: { id: 2, type: 'bytes', value: new Uint8Array() } as Field<Uint8Array>,
  addDummyPrefix: flag(3, true),
  removeExtraWhitespaces: flag(4, true),
  escapeWhitespaces: flag(5, true),
  normalizationRuleTsv: text(6),
} as const;

/** What a file holds beside the fields named here, as it stood there. */
interface Unknowns {
  readonly unknownFields?: readonly Uint8Array[];
}

/** How the model was, or is to be, trained; a few fields also say how it segments. */
export interface TrainerSpec extends Values<typeof TRAINER_FIELDS>, Unknowns {
  readonly modelType: ModelType;
}

/** How text is changed before it is segmented. */
export interface NormalizerSpec extends Values<typeof NORMALIZER_FIELDS>, Unknowns {}

/** A SentencePiece model (Kudo & Richardson 2018): the content of a `.model` file. */
export interface SubwordModel extends Unknowns {
  /** In the order of the file, which is the order of the model's own ids. */
  readonly pieces: readonly Piece[];
  readonly trainer: TrainerSpec;
  readonly normalizer: NormalizerSpec;
  /** What decoded text goes through; rare. */
  readonly denormalizer: NormalizerSpec | null;
}

/** A whole TrainerSpec: the format's defaults but for these values. */
export function trainerSpec(values: Partial<TrainerSpec> = {}): TrainerSpec {
  return { ...defaults(TRAINER_FIELDS), modelType: 'unigram', ...values };
}

/** A whole NormalizerSpec: the format's defaults but for these values. */
export function normalizerSpec(values: Partial<NormalizerSpec> = {}): NormalizerSpec {
  return { ...defaults(NORMALIZER_FIELDS), ...values };
}

function defaults<F extends Readonly<Record<string, Field<unknown>>>>(fields: F): Values<F> {
  // Object.entries forgets which key has which type.
  return Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value])) as Values<F>;
}

/** The name of the piece that stands for a byte: `<0x0A>`. */
export function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}
