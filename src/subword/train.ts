import { DragomanError } from '../errors.js';
import { Random } from '../random.js';
import { trainBpe } from './bpe-trainer.js';
import { cachedCharsmap } from './charsmap-cache.js';
import {
  Alphabet,
  type CountedCharacter,
  coveredCharacters,
  encodeWords,
  sortedByCount,
} from './counted-text.js';
import {
  type NormalizerSpec,
  normalizerSpec,
  PIECE_TYPES,
  type Piece,
  type SubwordModel,
  type TrainerSpec,
  trainerSpec,
} from './model.js';
import { LEFT_OUT, PieceRules } from './piece-rules.js';
import { type SpecialPiece, specialPieces } from './special-pieces.js';
import { frequentSubstrings } from './substrings.js';
import {
  resolveSubwordTraining,
  type SubwordTrainingInput,
  type SubwordTrainingOptions,
} from './training-options.js';
import { TrainingText } from './training-text.js';
import { type ScoredPiece, trainUnigram } from './unigram-trainer.js';

/** What training may tell on its way. */
export interface SubwordTrainingEvents {
  readonly onMessage?: (message: string) => void;
}

/** Counted text and what follows from it for every kind of model. */
interface Material {
  readonly words: ReadonlyMap<string, number>;
  readonly characters: readonly CountedCharacter[];
  /** Pieces to learn, the special ones not counted. */
  readonly room: number;
  readonly options: SubwordTrainingOptions;
  readonly say: (message: string) => void;
}

/** How pieces are learned, by model type. Characters are among the pieces returned, the best piece first. */
const TRAINERS: Readonly<Record<SubwordTrainingOptions['modelType'], (material: Material) => ScoredPiece[]>> =
  { unigram: unigramPieces, bpe: bpePieces, char: characterPieces, word: wordPieces };

/**
 * Trains a SentencePiece model (Kudo & Richardson 2018). `writeSubwordModel` makes a `.model` file of it that
 * Google's SentencePiece reads.
 *
 * @param lines Text, a sentence each. They are read once; memory is that of the different words.
 * @param input Options as `spm_train` has them; absent ones have its defaults.
 * @throws DragomanError `usage` for options that do not fit each other or the text, `input` for no text
 */
export async function trainSubwordModel(
  lines: AsyncIterable<string> | Iterable<string>,
  input: SubwordTrainingInput,
  { onMessage = () => {} }: SubwordTrainingEvents = {},
): Promise<SubwordModel> {
  const options = resolveSubwordTraining(input);
  const special = specialPieces(options);
  const normalizer = normalizerSpec({
    name: options.normalizationRuleName,
    precompiledCharsmap: await cachedCharsmap(options.normalizationRuleName),
    addDummyPrefix: options.addDummyPrefix,
    removeExtraWhitespaces: options.removeExtraWhitespaces,
  });
  const names = Array.from(special.values(), ({ piece }) => piece);
  const text = new TrainingText(options, normalizer, names, new Random(options.seed));
  for await (const line of lines) if (!text.add(line)) break;

  const words = text.words();
  onMessage(
    `${summary(text)}: ${number(words.size)} different ${options.splitByWhitespace ? 'words' : 'lines'}`,
  );
  if (words.size === 0) throw new DragomanError('input', 'subword training: expected text, got none');
  const characters = coveredCharacters(words, options.characterCoverage);
  const room = options.vocabSize - special.size;
  requireRoom(options, characters.length, special.size);
  const learned = TRAINERS[options.modelType]({ words, characters, room, options, say: onMessage });
  requireFull(options, learned.length + special.size);
  return assemble(options, special, learned, normalizer);
}

function unigramPieces({ words, characters, room, options, say }: Material): ScoredPiece[] {
  const alphabet = new Alphabet(characters);
  const rules = new PieceRules(alphabet.codePoints, options);
  const coded = encodeWords(new Map(sortedByCount(words)), alphabet);
  const { maxSentencepieceLength, seedSentencepieceSize } = options;
  const seeds = frequentSubstrings(coded, rules, maxSentencepieceLength, seedSentencepieceSize);
  say(`${number(seeds.starts.length + characters.length)} pieces to begin with`);
  return trainUnigram(coded, alphabet, characters, seeds, room, options, (pieces) =>
    say(`${number(pieces)} pieces after an EM iteration`),
  );
}

function bpePieces({ words, characters, room, options, say }: Material): ScoredPiece[] {
  const alphabet = new Alphabet(characters);
  const rules = new PieceRules(alphabet.codePoints, options);
  const merges = room - characters.length;
  const step = Math.max(1000, Math.ceil(merges / 10));
  const merged = trainBpe(encodeWords(words, alphabet), alphabet, rules, merges, (done) => {
    if (done % step === 0) say(`${number(done)} of ${number(merges)} merges`);
  });
  // A merge applies the earlier, the higher its score; characters come last.
  return [...merged, ...characters.map(({ character }) => character)].map((piece, i) => ({
    piece,
    score: -i,
  }));
}

function characterPieces({ characters, room }: Material): ScoredPiece[] {
  const total = characters.reduce((sum, { count }) => sum + count, 0);
  return characters
    .slice(0, room)
    .map(({ character, count }) => ({ piece: character, score: Math.log(count / total) }));
}

function wordPieces({ words, characters, room }: Material): ScoredPiece[] {
  const covered = new Set(characters.map(({ character }) => character));
  let total = 0;
  for (const count of words.values()) total += count;
  const whole = [...words].filter(([word]) => [...word].every((character) => covered.has(character)));
  return sortedByCount(new Map(whole))
    .slice(0, room)
    .map(([piece, count]) => ({ piece, score: Math.log(count / total) }));
}

/** Models of pieces hold every character that is covered. */
function requireRoom({ modelType, vocabSize }: SubwordTrainingOptions, characters: number, special: number) {
  const least = modelType === 'bpe' || modelType === 'unigram' ? characters + special : special;
  if (least <= vocabSize) return;
  throw new DragomanError(
    'usage',
    `subword training: vocabSize: expected at least ${least}, for ${characters} characters and ${special} special ` +
      `pieces, got ${vocabSize}; a lower characterCoverage leaves rare characters out`,
  );
}

function requireFull({ modelType, vocabSize, hardVocabLimit }: SubwordTrainingOptions, pieces: number): void {
  if (pieces === vocabSize || !hardVocabLimit || modelType === 'char') return;
  throw new DragomanError(
    'usage',
    `subword training: vocabSize: expected at most ${pieces}, which is all that this text has, got ${vocabSize}; ` +
      'without hardVocabLimit the model is as small as that',
  );
}

/** The model: special pieces at their ids, the learned ones at the others. */
function assemble(
  options: SubwordTrainingOptions,
  special: ReadonlyMap<number, SpecialPiece>,
  learned: readonly ScoredPiece[],
  normalizer: NormalizerSpec,
): SubwordModel {
  const size = special.size + learned.length;
  const pieces: Piece[] = [];
  let next = 0;
  for (let id = 0; id < size; id++) {
    const fixed = special.get(id);
    if (fixed !== undefined) {
      pieces.push({ ...fixed, score: 0 });
    } else {
      const piece = learned[next++];
      if (piece === undefined) {
        const [beyond] = [...special.keys()].filter((other) => other >= size);
        throw new DragomanError(
          'usage',
          `subword training: expected ids below ${size}, the size of the model, got ${beyond}`,
        );
      }
      pieces.push({ ...piece, score: Math.fround(piece.score), type: PIECE_TYPES.normal });
    }
  }
  return { pieces, trainer: { ...specOf(options), vocabSize: size }, normalizer, denormalizer: null };
}

/** The options as a model file holds them. The seed and the normalizer's options have no field there. */
function specOf(options: SubwordTrainingOptions): TrainerSpec {
  const { seed, normalizationRuleName, addDummyPrefix, removeExtraWhitespaces, ...spec } = options;
  return trainerSpec(spec);
}

function summary({ lines, used, leftOut }: TrainingText): string {
  const { tooLong, reserved } = leftOut;
  const parts = [
    ...(tooLong > 0 ? [`${number(tooLong)} left out as too long`] : []),
    ...(reserved > 0
      ? [`${number(reserved)} with the reserved character ${String.fromCodePoint(LEFT_OUT)}`]
      : []),
    ...(used < lines - tooLong - reserved ? [`a sample of ${number(used)} used`] : []),
  ];
  return [`${number(lines)} lines`, ...parts].join(', ');
}

function number(value: number): string {
  return value.toLocaleString('en');
}
