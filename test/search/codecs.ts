import { TextCodec } from '../../src/text/codec.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { Vocabulary } from '../../src/text/vocabulary.js';

/** A codec of single letters: 4 specials and the letters given. */
export async function letterCodec(letters: string): Promise<TextCodec> {
  const tokenizer = await createTokenizer({ kind: 'character', lowercase: false }, '.');
  return new TextCodec(tokenizer, Vocabulary.of([...letters]));
}

/** A codec of whole words. */
export async function wordCodec(words: readonly string[]): Promise<TextCodec> {
  const tokenizer = await createTokenizer({ kind: 'word', lowercase: false }, '.');
  return new TextCodec(tokenizer, Vocabulary.of(words));
}
