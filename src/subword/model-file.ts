import protobuf from 'protobufjs/light.js';
import { DragomanError, messageOf } from '../errors.js';
import {
  bytePiece,
  MODEL_TYPES,
  type ModelType,
  NORMALIZER_FIELDS,
  type NormalizerSpec,
  normalizerSpec,
  PIECE_TYPES,
  type Piece,
  type PieceType,
  type SubwordModel,
  TRAINER_FIELDS,
  type TrainerSpec,
  trainerSpec,
} from './model.js';

type FieldTable = Readonly<
  Record<string, { readonly id: number; readonly type: string; readonly value: unknown }>
>;

/** Messages of the format. Proto2: a field knows whether it is there, so that an explicit false is no default. */
const SCHEMA = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      edition: 'proto2',
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
      fields: { ...schemaOf(TRAINER_FIELDS), modelType: { type: 'int32', id: 3, options: { default: 1 } } },
    },
    NormalizerSpec: { edition: 'proto2', fields: schemaOf(NORMALIZER_FIELDS) },
  },
});

function schemaOf(table: FieldTable): Record<string, protobuf.IField> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { id, type, value }]) => [
      name,
      Array.isArray(value) ? { id, type, rule: 'repeated' } : { id, type },
    ]),
  );
}

/** A decoded message: absent scalars stand at their defaults, absent messages are null. */
interface Message {
  readonly $unknowns?: readonly Uint8Array[];
}
interface ModelProto extends Message {
  readonly pieces: readonly { readonly piece: string; readonly score: number; readonly type: number }[];
  readonly trainerSpec: (Omit<TrainerSpec, 'modelType'> & Message & { readonly modelType: number }) | null;
  readonly normalizerSpec: (NormalizerSpec & Message) | null;
  readonly denormalizerSpec: (NormalizerSpec & Message) | null;
}

/**
 * Reads a `.model` file and checks all that SentencePiece itself relies on, so that what is no whole model is
 * an error here and not a tokenizer that segments nothing. `file` stands in errors.
 *
 * @throws DragomanError `input`
 */
export function readSubwordModel(bytes: Uint8Array, file: string): SubwordModel {
  let proto: ModelProto;
  try {
    // A plain array, so that what is read out of it is plain too: of a Buffer, Buffers would be.
    const reader = protobuf.Reader.create(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    reader.discardUnknown = false;
    // The schema above is what types this.
    proto = SCHEMA.lookupType('ModelProto').decode(reader) as protobuf.Message & ModelProto;
  } catch (error) {
    throw noModel(file, `bytes that are none (${messageOf(error)})`, error);
  }
  if (proto.pieces.length === 0) throw noModel(file, 'no pieces');
  if (proto.trainerSpec === null || proto.normalizerSpec === null) {
    throw noModel(file, 'one that ends too early');
  }
  const { modelType } = proto.trainerSpec;
  const type = MODEL_TYPE_NAMES.find((name) => MODEL_TYPES[name] === modelType);
  if (type === undefined) throw noModel(file, `model type ${modelType}`);
  const model: SubwordModel = {
    pieces: proto.pieces.map(({ piece, score, type }, id): Piece => {
      if (!isPieceType(type)) throw noModel(file, `piece ${id} of unknown type ${type}`);
      return { piece, score, type };
    }),
    trainer: trainerSpec({ ...known(TRAINER_FIELDS, proto.trainerSpec), modelType: type }),
    normalizer: normalizerSpec(known(NORMALIZER_FIELDS, proto.normalizerSpec)),
    denormalizer: proto.denormalizerSpec && normalizerSpec(known(NORMALIZER_FIELDS, proto.denormalizerSpec)),
    ...unknownsOf(proto),
  };
  requireUsable(model, (got) => noModel(file, got));
  return model;
}

/**
 * The bytes of a `.model` file, which Google's SentencePiece reads. A value that is the format's default is
 * left out, as that format means it.
 *
 * @throws DragomanError `model` for a model that SentencePiece would refuse
 */
export function writeSubwordModel(model: SubwordModel): Uint8Array {
  requireUsable(
    model,
    (got) => new DragomanError('model', `expected a whole SentencePiece model, got ${got}`),
  );
  const { trainer, normalizer, denormalizer } = model;
  const proto = {
    pieces: model.pieces.map(({ piece, score, type }) => ({
      piece,
      score,
      ...(type === PIECE_TYPES.normal ? {} : { type }),
    })),
    trainerSpec: { ...written(TRAINER_FIELDS, trainer), modelType: MODEL_TYPES[trainer.modelType] },
    normalizerSpec: written(NORMALIZER_FIELDS, normalizer),
    ...(denormalizer === null ? {} : { denormalizerSpec: written(NORMALIZER_FIELDS, denormalizer) }),
    $unknowns: model.unknownFields ?? [],
  };
  return SCHEMA.lookupType('ModelProto').encode(proto).finish();
}

/**
 * The model's pieces as text, a piece and its score a line, as `spm_train` writes beside a model (`.vocab`).
 * Scores have the six significant digits of a C++ stream.
 */
export function subwordVocabText(model: SubwordModel): string {
  const withScores = model.trainer.vocabularyOutputPieceScore;
  return model.pieces
    .map(({ piece, score }) => (withScores ? `${piece}\t${sixDigits(score)}\n` : `${piece}\n`))
    .join('');
}

/** A number as C's `%g` prints it. */
function sixDigits(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', power = ''] = value.toExponential(5).split('e');
  const exponent = Number(power);
  const short = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);
  if (exponent >= -4 && exponent < 6) return short(value.toFixed(5 - exponent));
  const sign = exponent < 0 ? '-' : '+';
  return `${short(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

// Object.keys forgets the names' type.
const MODEL_TYPE_NAMES = Object.keys(MODEL_TYPES) as ModelType[];

function isPieceType(type: number): type is PieceType {
  return (Object.values(PIECE_TYPES) as readonly number[]).includes(type);
}

/** The fields of this table that a decoded message has, and what it held beside them. */
function known<T extends object>(table: FieldTable, message: T & Message): Partial<T> {
  const present = Object.keys(table).filter((name) => Object.hasOwn(message, name));
  const values = present.map((name) => [name, message[name as keyof T]]);
  return { ...(Object.fromEntries(values) as Partial<T>), ...unknownsOf(message) };
}

function unknownsOf({ $unknowns }: Message): { unknownFields?: readonly Uint8Array[] } {
  return $unknowns === undefined ? {} : { unknownFields: $unknowns };
}

/** A message to encode: the fields that differ from their defaults. */
function written(
  table: FieldTable,
  values: { readonly unknownFields?: readonly Uint8Array[] },
): Record<string, unknown> {
  const message: Record<string, unknown> = { $unknowns: values.unknownFields ?? [] };
  for (const [name, { type, value: usual }] of Object.entries(table)) {
    const value = (values as Readonly<Record<string, unknown>>)[name];
    if (!isUsual(value, usual, type)) message[name] = value;
  }
  return message;
}

function isUsual(value: unknown, usual: unknown, type: string): boolean {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (type === 'float') return Math.fround(Number(value)) === Math.fround(Number(usual));
  return value === usual;
}

/** What SentencePiece itself checks when it loads a model. */
function requireUsable(model: SubwordModel, refuse: (got: string) => DragomanError): void {
  const { pieces, trainer } = model;
  pieces.forEach(({ piece, score }, id) => {
    if (piece === '') throw refuse(`an empty piece ${id}`);
    if (!Number.isFinite(score)) throw refuse(`piece ${id} with score ${score}`);
  });
  if (new Set(pieces.map(({ piece }) => piece)).size < pieces.length) throw refuse('a piece twice');
  const unknown = pieces.filter(({ type }) => type === PIECE_TYPES.unknown).length;
  if (unknown !== 1) throw refuse(`${unknown} unknown pieces instead of one`);
  const bytes = pieces.filter(({ type }) => type === PIECE_TYPES.byte);
  if (bytes.length > 0 !== trainer.byteFallback) {
    throw refuse(`${bytes.length} byte pieces with byte fallback ${trainer.byteFallback ? 'on' : 'off'}`);
  }
  const names = new Set(bytes.map(({ piece }) => piece));
  const missing = Array.from({ length: 256 }, (_, byte) => bytePiece(byte)).find((name) => !names.has(name));
  if (trainer.byteFallback && missing !== undefined) throw refuse(`no byte piece ${missing}`);
  if (names.size > 256) throw refuse('byte pieces that are no bytes');
}

function noModel(file: string, got: string, cause?: unknown): DragomanError {
  return new DragomanError('input', `${file}: expected a whole SentencePiece model, got ${got}`, { cause });
}
