import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTar } from '../data/tar.js';

// The whole quickstart, on language packs of 300 messages that lie in the cache, so that no network is needed. As that
// cache holds no native engine either, this is the quickstart of a machine without one.

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const VERBS = { Open: 'Öffnen', Close: 'Schließen', Show: 'Anzeigen' };
const NOUNS = ['file', 'window', 'view', 'editor', 'panel', 'terminal', 'folder', 'line', 'tab', 'group'];

describe.skipIf(!existsSync(MAIN))('dragoman quickstart', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dragoman-quickstart-'));
    const npm = join(folder, 'cache', 'npm');
    mkdirSync(npm, { recursive: true });
    const messages = Object.entries(VERBS).flatMap(([verb, german]) =>
      NOUNS.flatMap((first) =>
        NOUNS.map((second) => [`${verb} ${first} ${second}`, `${german} ${first} ${second}`]),
      ),
    );
    const pack = (language: string, texts: readonly (string | undefined)[]): void => {
      const content = `var content = ${JSON.stringify(texts)};\n\nexport { content as default };\n`;
      const tar = makeTar([{ name: 'package/translations/main.i18n.json.js', content }]);
      writeFileSync(join(npm, `codingame-monaco-vscode-language-pack-${language}-25.1.2.tgz`), gzipSync(tar));
    };
    pack(
      'qps-ploc',
      messages.map(([english]) => english),
    );
    pack(
      'de',
      messages.map(([, german]) => german),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const quickstart = (...words: string[]) =>
    spawnSync(process.execPath, [MAIN, 'quickstart', '--minutes', '0.03', ...words], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, DRAGOMAN_CACHE: join(folder, 'cache'), DRAGOMAN_ENGINE: 'wasm' },
    });

  it('makes, trains, measures, translates, reranks, and can be run again', { timeout: 300_000 }, () => {
    for (const again of [false, true]) {
      const { status, stdout, stderr } = quickstart();
      expect(stderr).toContain('300 translated strings');
      expect(stderr).toMatch(/Training for at most 0\.03 minutes with TensorFlow\.js .* \(1 threads?\)/);
      expect(stderr).toContain('the wasm engine is slower, so the model is smaller: --set model.embedding=');
      expect(stderr.includes('will be replaced')).toBe(again);
      expect(stdout).toMatch(/^BLEU\|nrefs:1\|.* = \d+\.\d\d /m);
      expect(stdout).toMatch(/^chrF2\|nrefs:1\|.* = \d+\.\d\d$/m);
      expect(stdout).toMatch(/source.*translation.*reference/);
      expect(stdout).toMatch(/^BLEU of the first candidates: \d+\.\d\d as drawn, \d+\.\d\d reranked$/m);
      expect(status).toBe(0);
    }
    expect(existsSync(join(folder, 'models', 'vscode-ui', 'weights.safetensors'))).toBe(true);
  });

  it('says in one line which language there is none of', () => {
    const { status, stdout, stderr } = quickstart('--language', 'xx');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('expected one of cs, de, es');
  });
});
