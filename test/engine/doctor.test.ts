import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeDiagnosis } from '../../src/cli/doctor.js';
import { run } from '../../src/cli/run.js';
import { Terminal } from '../../src/cli/terminal.js';
import { diagnose } from '../../src/engine/diagnosis.js';
import { whyAbsent } from '../../src/engine/engine.js';

let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
  vi.stubEnv('DRAGOMAN_CACHE', cache);
  vi.stubEnv('DRAGOMAN_ENGINE', '');
  vi.stubEnv('DRAGOMAN_SKIP_NATIVE', '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

/** Runs the command line; its two streams and exit code. */
async function dragoman(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const sink = (take: (text: string) => void) => ({
    write(text: string, done?: () => void) {
      take(text);
      done?.();
      return true;
    },
  });
  const stdout = sink((text) => (out += text));
  const stderr = sink((text) => (err += text)) as unknown as NodeJS.WritableStream & {
    write(text: string): boolean;
  };
  const code = await run(words, new Terminal(stdout, stderr));
  return { code, out, err };
}

/** As a failed installation leaves it. */
function leaveReport(failure: string): void {
  const attempts = [{ route: 'pip', failure }];
  const report = { at: '2026-01-02T03:04:05.678Z', node: '20.1.0', tensorflow: null, attempts };
  writeFileSync(join(cache, 'install.json'), JSON.stringify(report));
}

describe('dragoman doctor', () => {
  it('says which engine computes, and how to get the native one', async () => {
    if (whyAbsent('tensorflow') === null) return; // the project has a tfjs-node of its own
    const { code, out } = await dragoman('doctor');
    expect(code).toBe(0);
    expect(out).toMatch(/^engine {5}wasm \(TensorFlow\.js /);
    expect(out).toContain('not tensorflow: not installed');
    expect(out).toContain(`Node       ${process.versions.node}`);
    expect(out).toContain('run "dragoman doctor --install"');
  });

  it('tells what was tried, and gives advice that fits', async () => {
    if (whyAbsent('tensorflow') === null) return;
    leaveReport('needs a C++ compiler, and g++ cannot be run');
    const text = describeDiagnosis(await diagnose());
    expect(text).toContain('as tried at 2026-01-02 03:04 UTC with Node 20.1.0');
    expect(text).toContain('no   the TensorFlow package for Python, by pip download: needs a C++ compiler');
    expect(text).toContain('install a C++ compiler');
  });

  it('speaks JSON', async () => {
    const { out } = await dragoman('doctor', '--json');
    expect(JSON.parse(out)).toMatchObject({ cache, engine: { passedOver: expect.any(Array) } });
  });

  it('fails where the engine that is asked for is not there, and still tells all it knows', async () => {
    if (whyAbsent('tensorflow') === null) return;
    const { code, out, err } = await dragoman('--engine', 'tensorflow', 'doctor');
    expect(code).toBe(2);
    expect(out).toContain('engine     none:');
    expect(err).toMatch(/^dragoman: .*not installed.*\n$/);
  });

  it('says what a setting should be, and advises nothing else', async () => {
    vi.stubEnv('DRAGOMAN_ENGINE', 'abacus');
    const { code, out, err } = await dragoman('doctor');
    expect(code).toBe(2);
    expect(out).toContain('engine     none: DRAGOMAN_ENGINE: expected tensorflow, wasm, cpu, got "abacus"');
    expect(out).not.toContain('What to do');
    expect(err).toMatch(/^dragoman: DRAGOMAN_ENGINE: .*\n$/);
  });

  it('does not install against the user’s own word', async () => {
    vi.stubEnv('DRAGOMAN_SKIP_NATIVE', '1');
    const { code, err } = await dragoman('doctor', '--install');
    expect(code).toBe(2);
    expect(err).toContain('DRAGOMAN_SKIP_NATIVE is set: unset it');
  });

  it('ignores a report that it cannot read', async () => {
    writeFileSync(join(cache, 'install.json'), '{"at": 1');
    expect((await diagnose()).installation).toBeNull();
  });
});
