import { isSyllable } from './korean.js';

/** What Unicode's NFKD takes apart, but for the syllables of Korean, which have a rule of their own. */
export interface Decompositions {
  /** Every character with a decomposition, by code point. */
  readonly characters: readonly string[];
  /** For a character that others decompose into: itself, then these. */
  readonly spellings: ReadonlyMap<string, readonly string[]>;
}

let known: Decompositions | undefined;

/** Of the running Node's Unicode, once a process: looking at a million characters takes a tenth of a second. */
export function decompositions(): Decompositions {
  if (known !== undefined) return known;
  const characters: string[] = [];
  const spellings = new Map<string, string[]>();
  for (let start = 0; start <= LAST; start += STRETCH) {
    const all = charactersFrom(start);
    // What NFKD gives holds nothing that it would change, so a stretch that stays as it is has nothing to offer.
    if (all.normalize('NFKD') === all) continue;
    for (const character of all) {
      const decomposed = character.normalize('NFKD');
      if (decomposed === character || isSyllable(character)) continue;
      characters.push(character);
      if (decomposed.length > String.fromCodePoint(decomposed.codePointAt(0)!).length) continue;
      const others = spellings.get(decomposed);
      if (others === undefined) spellings.set(decomposed, [decomposed, character]);
      else others.push(character);
    }
  }
  known = { characters, spellings };
  return known;
}

/** Whether this code point may stand in text: surrogates and those set aside for internal use may not. */
export function isCharacter(code: number): boolean {
  return !(
    (code >= 0xd800 && code < 0xe000) ||
    (code >= 0xfdd0 && code < 0xfdf0) ||
    (code & 0xfffe) === 0xfffe
  );
}

const LAST = 0x10ffff;
const STRETCH = 256;
const utf16 = new TextDecoder('utf-16le');

/** The characters of a stretch in one string. */
function charactersFrom(start: number): string {
  const units = new Uint16Array(2 * STRETCH);
  let size = 0;
  for (let code = start; code < start + STRETCH; code++) {
    if (!isCharacter(code)) continue;
    if (code >= 0x10000) units[size++] = 0xd7c0 + (code >> 10);
    units[size++] = code < 0x10000 ? code : 0xdc00 + (code & 0x3ff);
  }
  return utf16.decode(units.subarray(0, size));
}
