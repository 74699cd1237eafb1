import type { Random } from '../random.js';
import { type Codecs, TextCodec } from '../text/codec.js';
import { EncodedCorpus } from '../text/encoded.js';
import { SPECIALS, Vocabulary } from '../text/vocabulary.js';
import { WordTokenizer } from '../text/word.js';

// Lengths of Multi30k in English and German, cut into 8000 joint pieces: the logarithm of the source length (mean 13.8
// tokens) and of the ratio of target to source length are nearly normal.
const LOG_LENGTH = { mean: 2.574, deviation: 0.316 };
const LOG_RATIO = { mean: 0.023, deviation: 0.187 };
const SHORTEST = 4;
const LONGEST = 46;

/** A vocabulary of `size` entries whose tokens are made-up words, the same for both sides. */
export function syntheticCodecs(size: number): Codecs {
  const words = Array.from({ length: size - SPECIALS.length }, (_, k) => madeUpWord(k));
  const codec = new TextCodec(new WordTokenizer({ lowercase: false }), Vocabulary.of(words));
  return { source: codec, target: codec };
}

const CONSONANTS = 'bdfgklmnprstvz';
const VOWELS = 'aeiou';

/** Different words of {@link syntheticLine}. */
const WORDS = 20_000;
/** Words of a line on average, as in Multi30k. */
const WORDS_PER_LINE = 12;

/** A line of made-up words, rare ones as seldom as in text: word n with a probability of about 1/n (Zipf's law). */
export function syntheticLine(random: Random): string {
  const length = WORDS_PER_LINE - 6 + random.integer(13);
  const words = Array.from({ length }, () => madeUpWord(Math.floor(WORDS ** random.next()) - 1));
  return `${words.join(' ')}.`;
}

/** The number in syllables: no two numbers share a word. */
function madeUpWord(number: number): string {
  let word = '';
  for (let rest = number; ; rest = Math.floor(rest / 70) - 1) {
    const digit = rest % 70;
    word = CONSONANTS[Math.floor(digit / VOWELS.length)]! + VOWELS[digit % VOWELS.length]! + word;
    if (rest < 70) return word;
  }
}

/** Sentence pairs of random tokens whose lengths are distributed as Multi30k's: for speed the tokens do not matter. */
export function syntheticCorpus(random: Random, sentences: number, codecs: Codecs): EncodedCorpus {
  const sizes = { source: codecs.source.vocabulary.size, target: codecs.target.vocabulary.size };
  const corpus = new EncodedCorpus(sizes);
  for (let n = 0; n < sentences; n++) {
    const drawn = Math.exp(LOG_LENGTH.mean + LOG_LENGTH.deviation * random.normal());
    const factor = Math.exp(LOG_RATIO.mean + LOG_RATIO.deviation * random.normal());
    corpus.push(
      randomIds(random, bounded(drawn), sizes.source),
      randomIds(random, bounded(drawn * factor), sizes.target),
    );
  }
  return corpus;
}

function bounded(length: number): number {
  return Math.round(Math.min(LONGEST, Math.max(SHORTEST, length)));
}

/** Random tokens, no specials. */
export function randomIds(random: Random, length: number, size: number): Int32Array {
  return Int32Array.from({ length }, () => SPECIALS.length + random.integer(size - SPECIALS.length));
}
