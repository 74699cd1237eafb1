import { describe, expect, test } from 'vitest';
import { compileCharsmap } from '../../src/subword/charsmap.js';
import { normalizerSpec, PIECE_TYPES, trainerSpec } from '../../src/subword/model.js';
import { writeSubwordModel } from '../../src/subword/model-file.js';
import {
  NORMALIZATION_NAMES,
  normalizationCharsmap,
  normalizationRules,
} from '../../src/subword/normalization-rules.js';
import { Normalizer } from '../../src/subword/normalizer.js';
import { difficultLines, everyCharacter } from './difficult-lines.js';
import { askGoogle, skipWithoutGoogle, wasmProcessor } from './oracles.js';

/** Replacements only: no blank is added, removed or escaped. */
const plain = { addDummyPrefix: false, removeExtraWhitespaces: false, escapeWhitespaces: false };
const normalizer = (name: (typeof NORMALIZATION_NAMES)[number], values = {}) =>
  new Normalizer(normalizerSpec({ precompiledCharsmap: normalizationCharsmap(name), ...plain, ...values }));

describe('the rules', () => {
  test('of nfkc give NFKC for every character and every composed sequence', () => {
    const nfkc = normalizer('nfkc');
    for (const line of everyCharacter()) {
      for (const character of line) {
        const composed = character.normalize('NFKC');
        if (nfkc.normalize(character) !== composed) expect(nfkc.normalize(character)).toBe(composed);
        const decomposed = character.normalize('NFD');
        if (nfkc.normalize(decomposed) !== composed) expect(nfkc.normalize(decomposed)).toBe(composed);
      }
    }
  });

  // Unicode's CaseFolding.txt, status C and S.
  test.each([
    ['A', 'a'],
    ['ẞ', 'ß'],
    ['ß', 'ß'],
    ['ς', 'σ'],
    ['ſ', 's'],
    ['İ', 'İ'],
    ['ı', 'ı'],
    ['\u0345', 'ι'],
    ['Ꭰ', 'Ꭰ'],
    ['ꭰ', 'Ꭰ'],
    ['ᏸ', 'Ᏸ'],
    ['ǅ', 'dž'],
    ['Ω', 'ω'],
    ['K', 'k'],
    ['\u1c80', 'в'],
    ['𐐀', '𐐨'],
    ['ﬁ', 'fi'],
    ['Ⅷ', 'viii'],
  ])('of nmt_nfkc_cf fold %s to %s', (from, to) => {
    expect(normalizer('nmt_nfkc_cf').normalize(from)).toBe(to);
  });

  test('of nmt_nfkc make blanks equal, drop controls, and keep the full-width tilde', () => {
    const nmt = normalizer('nmt_nfkc');
    expect(nmt.normalize('a\tb\nc\u200bd\u2028e\ufefff\u3000g▁h\ufffdi')).toBe('a b c d e f g h i');
    expect(nmt.normalize('\x01\x08\x0b\x1f\x7f\x8f\x9f\x80')).toBe('\x80');
    expect(nmt.normalize('ａ～ｂ')).toBe('a～b');
    expect(nmt.normalize('a\u200db')).toBe('a\u200db'); // joins emoji
  });

  test('of identity are none', () => {
    expect(normalizationCharsmap('identity')).toHaveLength(0);
    expect(normalizer('identity').normalize('ﬁ \uD800')).toBe('ﬁ \uFFFD');
  });
});

test('the longest string is replaced, once', () => {
  const precompiledCharsmap = compileCharsmap(
    new Map([
      ['a', 'b'],
      ['ab', ''],
      ['abc', 'xyz'],
      ['b', 'a'],
      ['🎉', 'yes!'],
    ]),
  );
  const replace = new Normalizer(normalizerSpec({ precompiledCharsmap, ...plain }));
  expect(replace.normalize('aabcabbabab🎉c')).toBe('bxyzayes!c');
});

test('a damaged table is an error', () => {
  const table = normalizationCharsmap('nfkc');
  for (const damaged of [table.subarray(0, 3), table.subarray(0, 1000), Uint8Array.of(1, 0, 0, 0, 9, 9)]) {
    const spec = normalizerSpec({ precompiledCharsmap: damaged });
    expect(() => new Normalizer(spec, { file: 'a.model' })).toThrow(
      /^a.model: expected a whole table of replacements, got \d+ bytes with a trie of \d+$/,
    );
  }
  const wild = Uint8Array.from(table);
  wild.fill(0x7f, 4, 5000);
  expect(() => new Normalizer(normalizerSpec({ precompiledCharsmap: wild }))).toThrow('a damaged trie');
});

/** How blanks are treated. */
const BLANKS = [true, false].flatMap((addDummyPrefix) =>
  [true, false].flatMap((removeExtraWhitespaces) =>
    [true, false].map((treatWhitespaceAsSuffix) => ({
      addDummyPrefix,
      removeExtraWhitespaces,
      treatWhitespaceAsSuffix,
    })),
  ),
);

describe("as Google's library in WebAssembly normalizes", () => {
  // With one piece for a character that never comes, a whole line is one unknown piece, which is the line normalized.
  test.each(BLANKS)('%o', async ({ treatWhitespaceAsSuffix, ...blanks }) => {
    for (const name of ['nmt_nfkc_cf', 'identity'] as const) {
      const spec = normalizerSpec({ precompiledCharsmap: normalizationCharsmap(name), ...blanks });
      const model = {
        pieces: [
          { piece: '<unk>', score: 0, type: PIECE_TYPES.unknown },
          { piece: '\u{10FFFD}', score: 0, type: PIECE_TYPES.normal },
        ],
        trainer: trainerSpec({ treatWhitespaceAsSuffix }),
        normalizer: spec,
        denormalizer: null,
      };
      const oracle = await wasmProcessor(writeSubwordModel(model));
      const ours = new Normalizer(spec, { treatWhitespaceAsSuffix });
      for (const line of difficultLines(800, 3).map((line) => line.toWellFormed())) {
        // It loses a byte order mark at the start of some of what it gives back.
        const [normalized, expected] = [ours.normalize(line), oracle.encodePieces(line).join('')].map(
          (text) => text.replace(/^\ufeff/, ''),
        );
        expect([line, normalized]).toEqual([line, expected]);
      }
    }
  });
});

describe("as Google's Python package normalizes", () => {
  test.for(NORMALIZATION_NAMES.filter((name) => name !== 'identity'))('%s', (name, context) => {
    skipWithoutGoogle(context);
    const lines = [...everyCharacter(), ...difficultLines(3000, 4)].map((line) => line.toWellFormed());
    expect(lines.length).toBeGreaterThan(12_999);
    const answer = askGoogle<{ plain: string[]; full: string[]; rules: [string, string][] | null }>(
      `n = sp.SentencePieceNormalizer(rule_name=job['name'])
plain = n.normalize(job['lines'])
f = sp.SentencePieceNormalizer(rule_name=job['name'], add_dummy_prefix=True, escape_whitespaces=True, remove_extra_whitespaces=True)
answer = dict(plain=plain, full=f.normalize(job['lines']), rules=n.decompile() if job['rules'] else None)`,
      { name, lines, rules: name === 'nmt_nfkc_cf' },
    );
    const [bare, full] = [
      normalizer(name),
      normalizer(name, normalizerSpec({ precompiledCharsmap: normalizationCharsmap(name) })),
    ];
    const differing = lines.filter(
      (line, i) => bare.normalize(line) !== answer.plain[i] || full.normalize(line) !== answer.full[i],
    );
    expect(differing).toEqual([]);
    if (answer.rules === null) return;
    // Rule by rule, which takes long, where the rules are most. An older Unicode than Google's lacks some, and has no others.
    const ours = normalizationRules(name);
    const theirs = new Map(answer.rules);
    expect([...ours].filter(([from, to]) => theirs.get(from) !== to)).toEqual([]);
    if (Number(process.versions.unicode) >= 17) expect(ours.size).toBe(theirs.size);
  });
});
