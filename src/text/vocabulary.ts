import type { VocabularySpec } from '../config.js';
import { DragomanError, excerpt } from '../errors.js';

/** Fills rows up to the length of the longest; masked everywhere, never predicted. */
export const PAD = 0;
/** Stands for every token that the vocabulary does not hold. */
export const UNK = 1;
/** Begin of sentence: the decoder's first input. */
export const BOS = 2;
/** End of sentence: the last token of every source and target row. */
export const EOS = 3;

/** Names of the special tokens; their position is their id, in every vocabulary. */
export const SPECIALS = ['<pad>', '<unk>', '<s>', '</s>'] as const;

/**
 * The tokens of one side and their ids. The four {@link SPECIALS} come first; they are reached by their ids
 * only, so text that spells `<s>` never becomes one: it is a token of its own or {@link UNK}.
 */
export class Vocabulary {
  readonly #tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  private constructor(tokens: readonly string[], ids: ReadonlyMap<string, number>) {
    this.#tokens = tokens;
    this.#ids = ids;
  }

  /** A vocabulary of these tokens in this order, after the specials. `origin` (a file) stands in errors. */
  static of(tokens: Iterable<string>, origin = 'vocabulary'): Vocabulary {
    const all: string[] = [...SPECIALS];
    const ids = new Map<string, number>();
    for (const token of tokens) {
      const line = all.length + 1;
      if (token === '') {
        throw new DragomanError('input', `${origin}:${line}: expected a token, got an empty line`);
      }
      const earlier = ids.get(token);
      if (earlier !== undefined) {
        const first = `as on line ${earlier + 1}`;
        throw new DragomanError(
          'input',
          `${origin}:${line}: expected each token once, got ${excerpt(token)} again, ${first}`,
        );
      }
      ids.set(token, all.length);
      all.push(token);
    }
    return new Vocabulary(all, ids);
  }

  /**
   * The tokens counted at least `minFrequency` times, most frequent first and equal counts in code-point
   * order (so the same text gives the same ids on every machine), at most `maxSize` of them.
   */
  static build(counts: ReadonlyMap<string, number>, spec: VocabularySpec): Vocabulary {
    const kept = [...counts].filter(([, count]) => count >= spec.minFrequency);
    kept.sort(([a, countA], [b, countB]) => countB - countA || compareCodePoints(a, b));
    return Vocabulary.of(kept.slice(0, spec.maxSize).map(([token]) => token));
  }

  /** Reads the lines that {@link text} wrote. `file` stands in errors. */
  static parse(lines: readonly string[], file: string): Vocabulary {
    SPECIALS.forEach((special, id) => {
      if (lines[id] === special) return;
      const got = lines[id] === undefined ? 'the end of the file' : excerpt(lines[id]);
      throw new DragomanError(
        'input',
        `${file}:${id + 1}: expected the special token ${special}, got ${got}`,
      );
    });
    const tokens = lines.slice(SPECIALS.length);
    return Vocabulary.of(
      tokens.map((line, i) => unescapeToken(line, `${file}:${i + SPECIALS.length + 1}`)),
      file,
    );
  }

  /** Number of ids, specials included. */
  get size(): number {
    return this.#tokens.length;
  }

  /** The token's id, or {@link UNK}. Never the id of a special. */
  id(token: string): number {
    return this.#ids.get(token) ?? UNK;
  }

  /** The token, or the name of the special, with this id. */
  token(id: number): string {
    const token = this.#tokens[id];
    if (token === undefined) {
      throw new DragomanError('model', `expected a token id from 0 to ${this.size - 1}, got ${id}`);
    }
    return token;
  }

  /**
   * One token a line, the specials first, so that line number minus one is the id. What a line cannot hold is
   * escaped: `\n`, `\r`, `\\`, `\u0000`, `\uD800` (a lone surrogate), and `\<s>` for a token spelled like a special.
   */
  text(): string {
    const tokens = this.#tokens.slice(SPECIALS.length).map(escapeToken);
    return `${[...SPECIALS, ...tokens].join('\n')}\n`;
  }

  equals(other: Vocabulary): boolean {
    return this.size === other.size && this.#tokens.every((token, id) => token === other.#tokens[id]);
  }
}

/** Order by code point. The `<` of strings compares UTF-16 units, which puts U+10000 before U+FFFD. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue;
    return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0);
  }
  return a.length - b.length;
}

function isSpecial(name: string): boolean {
  return (SPECIALS as readonly string[]).includes(name);
}

function escapeToken(token: string): string {
  if (isSpecial(token)) return `\\${token}`;
  return token.replace(/[\\\n\r\0]|\p{Cs}/gu, (c) => {
    if (c === '\n') return '\\n';
    if (c === '\r') return '\\r';
    if (c === '\\') return '\\\\';
    return `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

function unescapeToken(line: string, where: string): string {
  if (isSpecial(line)) {
    throw new DragomanError(
      'input',
      `${where}: expected the special token ${line} at the top only, got it again`,
    );
  }
  if (!line.includes('\\')) return line;
  return line.replace(/\\(u[0-9A-F]{4}|[\s\S]?)/g, (whole, code: string) => {
    if (code === 'n') return '\n';
    if (code === 'r') return '\r';
    if (code === '\\') return '\\';
    if (code === '<' && isSpecial(line.slice(1))) return '<';
    if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    throw new DragomanError(
      'input',
      `${where}: expected one of the escapes \\n \\r \\\\ \\uXXXX, got ${excerpt(whole)}`,
    );
  });
}
