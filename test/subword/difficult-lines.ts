import { Random } from '../../src/random.js';

const SCRAPS = [
  'foo bar',
  'foo  bar',
  'abc',
  'abcab',
  '{0}',
  '{1}',
  '<pad>',
  '<s>',
  '</s>',
  '<unk>',
  '<0x41>',
  '▁x',
  '▁',
  '▁▁',
  '🎉',
  '👩‍👩‍👧',
  '🇩🇪',
  'e\u0301',
  'q\u0307\u0323',
  '\u0300',
  '\u0345',
  'ﬁ',
  'ａｂｃ',
  '１２',
  '～',
  '你好',
  '世界',
  '안녕',
  '하세요',
  'ᄒ',
  'ᅡ',
  'ᆫ',
  'ﾡ',
  'ￂ',
  'ｶﾞ',
  '㍿',
  'ﷺ',
  'ﻻ',
  'مرحبا',
  'नमस्ते',
  'สวัสดี',
  'Привет',
  '\u{1D49C}',
  '\u{20000}',
  '\u{2F800}',
  '\u00a0',
  '\u3000',
  '\u200b',
  '\u200d',
  '\ufeff',
  '\u2028',
  '\t',
  '\r',
  '\n',
  '\x01',
  '\x7f',
  '\ufffd',
  '\uD83D',
  '\uDE00',
  '¼',
  'ſ',
  'ß',
  'ẞ',
  'İ',
  'ı',
  'Σ',
  'ς',
  'Ǆ',
  'Ꭰ',
  'ꭰ',
  'the',
  'ferry',
  'Hund',
  'straße',
  'The ',
  ' ',
  '  ',
  '   ',
  '.',
  ',',
  '2024',
];

/** Lines that tokenizers stumble over: scraps of all kinds, any characters at all, blanks of all kinds. */
export function difficultLines(count: number, seed: number): string[] {
  const random = new Random(seed);
  const lines = ['', ' ', '   ', '\t', '▁', ' ▁ ', '\u3000', '\u200b'];
  while (lines.length < count) {
    let line = '';
    for (let i = 1 + random.integer(24); i > 0; i--) {
      const kind = random.next();
      if (kind < 0.6) line += SCRAPS[random.integer(SCRAPS.length)];
      else if (kind < 0.8) line += ' ';
      else line += String.fromCodePoint(random.integer(kind < 0.9 ? 0x3000 : 0x20000)).toWellFormed();
    }
    lines.push(line);
  }
  return lines;
}

/** Lines of 100,000 characters. */
export function longLines(): string[] {
  const random = new Random(9);
  const any = Array.from({ length: 100_000 }, () => String.fromCodePoint(0x21 + random.integer(0x2000)));
  return [
    'a'.repeat(100_000),
    'the ferry '.repeat(10_000),
    '🎉'.repeat(100_000),
    '한'.repeat(100_000),
    any.join(''),
  ];
}

/** Every character that this Node's Unicode knows, 40 a line, and as many pairs of them with marks between. */
export function everyCharacter(): string[] {
  const known = Array.from({ length: 0x110000 }, (_, code) => code)
    .filter((code) => code > 0 && (code < 0xd800 || code >= 0xe000))
    .map((code) => String.fromCodePoint(code))
    .filter((character) => /[^\p{Cn}\p{Co}]/u.test(character));
  const lines: string[] = [];
  for (let i = 0; i < known.length; i += 40) lines.push(known.slice(i, i + 40).join(''));
  const random = new Random(11);
  const pick = (from: readonly string[]): string => from[random.integer(from.length)]!;
  const marks = known.filter((character) => /\p{M}/u.test(character));
  const composed = known.filter((character) => character.normalize('NFKD') !== character);
  while (lines.length < 10_000) {
    const parts = Array.from(
      { length: 10 },
      () => pick(composed).normalize(pick(['NFD', 'NFC', 'NFKD'])) + pick(marks),
    );
    lines.push(parts.join(''));
  }
  return lines;
}
