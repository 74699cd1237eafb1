import type { TOKENIZER_KINDS } from '../config.js';

export type TokenizerKind = (typeof TOKENIZER_KINDS)[number];

/** Cuts text into tokens and puts tokens together again. */
export interface Tokenizer {
  readonly kind: TokenizerKind;
  /** The tokens of one sentence; none for an empty one. No token is empty. */
  segment(text: string): string[];
  /** The text of these tokens: `join(segment(x))` is `x` wherever the method allows it. Takes any tokens. */
  join(tokens: readonly string[]): string;
}
