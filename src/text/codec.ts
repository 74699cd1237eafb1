import type { Tokenizer } from './tokenizer.js';
import { BOS, EOS, PAD, type Vocabulary } from './vocabulary.js';

/** One side of a model: a tokenizer with its vocabulary, text to ids and back. */
export class TextCodec {
  constructor(
    readonly tokenizer: Tokenizer,
    readonly vocabulary: Vocabulary,
  ) {}

  /** Ids of one sentence, without BOS and EOS; UNK where the vocabulary does not hold a token. */
  encode(text: string): Int32Array {
    return Int32Array.from(this.tokenizer.segment(text), (token) => this.vocabulary.id(token));
  }

  /** The tokens up to the first EOS; PAD and BOS are left out, UNK is `<unk>`. */
  tokens(ids: ArrayLike<number>): string[] {
    const tokens: string[] = [];
    for (let i = 0; i < ids.length && ids[i] !== EOS; i++) {
      const id = ids[i]!;
      if (id !== PAD && id !== BOS) tokens.push(this.vocabulary.token(id));
    }
    return tokens;
  }

  /** The text of these ids, up to the first EOS. */
  decode(ids: ArrayLike<number>): string {
    return this.tokenizer.join(this.tokens(ids));
  }
}
