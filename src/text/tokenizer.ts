import type { TOKENIZER_KINDS, TokenizerSpec } from '../config.js';
import { DragomanError } from '../errors.js';
import { CharacterTokenizer } from './character.js';
import { SentencePieceTokenizer } from './sentencepiece.js';
import { WordTokenizer } from './word.js';

export type TokenizerKind = (typeof TOKENIZER_KINDS)[number];

/** Cuts text into tokens and puts tokens together again. */
export interface Tokenizer {
  readonly kind: TokenizerKind;
  /** The tokens of one sentence; none for an empty one. No token is empty. */
  segment(text: string): string[];
  /** The text of these tokens: `join(segment(x))` is `x` wherever the method allows it. Takes any tokens. */
  join(tokens: readonly string[]): string;
}

/** The tokenizer that this describes; paths are relative to `folder`. */
export async function createTokenizer(spec: TokenizerSpec, folder: string): Promise<Tokenizer> {
  switch (spec.kind) {
    case 'character':
      return new CharacterTokenizer(spec);
    case 'word':
      return new WordTokenizer(spec);
    case 'sentencepiece':
      if (spec.model === undefined) {
        throw new DragomanError(
          'config',
          'expected a SentencePiece model, got one that is yet to be trained',
        );
      }
      return SentencePieceTokenizer.load(spec.model, folder);
  }
}
