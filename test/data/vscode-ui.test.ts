import { describe, expect, it } from 'vitest';
import {
  cleanPairs,
  onePerSource,
  splitKey,
  splitPairs,
  stripMnemonics,
} from '../../data/vscode-ui/corpus.mjs';
import { fromPseudo, pairPacks, parseExtension, parseMessages } from '../../data/vscode-ui/translations.mjs';

const code = (entries: (string | undefined)[]) =>
  `\nvar content = [\n\t${entries.map((entry) => (entry === undefined ? 'undefined' : JSON.stringify(entry))).join(',\n\t')}\n];\n\nexport { content as default };\n`;

describe('fromPseudo', () => {
  it('puts the letters of a pseudo-translation back', () => {
    expect(fromPseudo('Çløsë Ëðïtør {0}')).toBe('Close Editor {0}');
    expect(fromPseudo('§hïft, Æpplÿ, £øæð, ßÿtë, Üñðø, Øþjëçt µsëð, Ïñ, Ñëw, Ðæÿ, Ýøµr')).toBe(
      'Shift, Apply, Load, Byte, Undo, Object used, In, New, Day, Your',
    );
    expect(fromPseudo('“…” → ↔ 𝄞')).toBe('“…” → ↔ 𝄞');
  });
});

describe('parseMessages', () => {
  it('reads strings with their escapes, and the gaps', () => {
    const entries = [undefined, 'a "quoted" \\ text', 'two\r\nlines', 'undefined', 'ends ];', undefined];
    expect(parseMessages(code(entries), 'main.js')).toEqual(entries);
  });

  it('refuses anything else', () => {
    expect(() => parseMessages('export default 1', 'main.js')).toThrow(
      'main.js: expected "var … = […]; export …"',
    );
    expect(() => parseMessages(code(['a']).replace('"a"', "'a'"), 'main.js')).toThrow('main.js: ');
    expect(() => parseMessages(code(['a']).replace('"a"', '7'), 'main.js')).toThrow(
      'main.js: entry 0: expected a string',
    );
  });
});

describe('pairPacks', () => {
  const pack = (main: (string | undefined)[], extension: object) =>
    new Map([
      ['translations/main.i18n.json.js', Buffer.from(code(main))],
      ['translations/extensions/git.i18n.json', Buffer.from(JSON.stringify({ contents: extension }))],
    ]);
  const pseudo = pack([undefined, 'Çløsë', 'Øpëñ', 'Lost'], {
    bundle: { 'Branch name/a note': 'ßræñçh ñæmë' },
    package: { displayName: 'Gït ßæsë', other: 'Øthër' },
  });

  it('pairs by number and by key, and leaves out what is missing on one side', () => {
    const german = pack(['zu viel', 'Schließen', 'Öffnen', undefined], {
      bundle: { 'Branch name/a note': 'Branchname' },
      package: { displayName: 'Git-Basis' },
    });
    expect(pairPacks(pseudo, german)).toEqual([
      { source: 'Close', target: 'Schließen' },
      { source: 'Open', target: 'Öffnen' },
      { source: 'Branch name', target: 'Branchname' },
      { source: 'Git Base', target: 'Git-Basis' },
    ]);
  });

  it('refuses packs of two versions, a missing file, and another pseudo language', () => {
    expect(() => pairPacks(pseudo, pack(['x'], {}))).toThrow('expected 4 entries as in qps-ploc, got 1');
    expect(() => pairPacks(pseudo, new Map())).toThrow('expected the file translations/main.i18n.json.js');
    const other = pack([], { bundle: { 'Branch name': 'Brãñçh ñàmé' } });
    expect(() => pairPacks(other, pack([], { bundle: {} }))).toThrow('expected the letters of "Branch name"');
    expect(() => parseExtension('{"contents":{"package":{"a":1}}}', 'x.json')).toThrow(
      'x.json: package: a: expected a string',
    );
  });
});

describe('stripMnemonics', () => {
  it.each([
    ['&&File', '&&Datei', 'File', 'Datei'],
    ['Cu&&t', 'A&&usschneiden', 'Cut', 'Ausschneiden'],
    ['&&File', '文件(&&F)', 'File', '文件'],
    ['&&Save All...', 'すべて保存 (&&S)...', 'Save All...', 'すべて保存...'],
    ['Accept &&Remote {0}', 'Akzeptieren &{0}', 'Accept Remote {0}', 'Akzeptieren {0}'],
    ['Accept &&Local {0}', '& Lokale {0} akzeptieren', 'Accept Local {0}', 'Lokale {0} akzeptieren'],
    ['&&Open', '開く(&O)', 'Open', '開く'],
    ['Drag & drop', 'Drag & Drop', 'Drag & drop', 'Drag & Drop'],
    ['put && or ||', '&& oder || setzen', 'put && or ||', '&& oder || setzen'],
    ['Copy', 'Kopieren & Einfügen', 'Copy', 'Kopieren & Einfügen'],
  ])('%j, %j', (source, target, plainSource, plainTarget) => {
    expect(stripMnemonics({ source, target })).toEqual({ source: plainSource, target: plainTarget });
  });
});

describe('cleanPairs', () => {
  it('makes single lines, drops what teaches nothing, and counts it', () => {
    const { pairs, dropped } = cleanPairs([
      { source: ' Close\u00a0 {0} ', target: '{0}  schließen' },
      { source: 'One.\r\n\r\n - Two', target: 'Eins.\n– Zwei' },
      { source: 'One\nTwo', target: 'Eins und zwei' },
      { source: '\n', target: 'Leer' },
      { source: '{0}: {1}', target: '{0}: {1}' },
      { source: 'In {0}', target: 'In {1}' },
      { source: 'GitHub Copilot', target: 'GitHub Copilot' },
      { source: 'Run tasks in the workspace', target: 'Run tasks in the workspace' },
    ]);
    expect(pairs).toEqual([
      { source: 'Close {0}', target: '{0} schließen' },
      { source: 'One.', target: 'Eins.' },
      { source: '- Two', target: '– Zwei' },
      { source: 'GitHub Copilot', target: 'GitHub Copilot' },
    ]);
    expect(dropped).toEqual({ lines: 1, empty: 1, wordless: 1, placeholders: 1, untranslated: 1 });
  });
});

describe('onePerSource', () => {
  it('keeps the most frequent translation, of equally frequent ones the first', () => {
    const pairs = ['a x', 'a y', 'b u', 'a y', 'b v'].map((pair) => {
      const [source = '', target = ''] = pair.split(' ');
      return { source, target };
    });
    expect(onePerSource(pairs)).toEqual([
      { source: 'a', target: 'y' },
      { source: 'b', target: 'u' },
    ]);
  });
});

describe('splitPairs', () => {
  it('keeps like strings in one part', () => {
    expect(new Set(['Close {0}', 'close', 'CLOSE...', '"Close" 12'].map(splitKey))).toEqual(
      new Set(['close']),
    );
    expect(splitKey('文件 {0}')).toBe('文件');
    const pairs = Array.from({ length: 600 }, (_, i) => {
      const name = `string ${String.fromCharCode(97 + (i % 26), 97 + ((i / 26) | 0))}`;
      return [name, `${name} {0}...`, name.toUpperCase()].map((source) => ({ source, target: 't' }));
    }).flat();
    const parts = splitPairs(pairs);
    const keys = (part: keyof typeof parts) => new Set(parts[part].map(({ source }) => splitKey(source)));
    expect(parts.train.length + parts.dev.length + parts.test.length).toBe(pairs.length);
    for (const part of ['dev', 'test'] as const) {
      expect(parts[part].length).toBeGreaterThan(0);
      for (const key of keys(part)) expect(keys('train').has(key)).toBe(false);
    }
    for (const key of keys('dev')) expect(keys('test').has(key)).toBe(false);
  });

  it('does not depend on the order of the pairs', () => {
    const pairs = ['one', 'two', 'three', 'four'].map((source) => ({ source, target: source }));
    expect(splitPairs([...pairs].reverse())).toEqual(splitPairs(pairs));
  });
});
