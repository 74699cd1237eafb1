import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SentencePieceProcessor } from 'sentencepiece-js';
import { afterAll } from 'vitest';

/** Google's library compiled to WebAssembly (sentencepiece-js), with a model of these bytes. */
export async function wasmProcessor(model: Uint8Array): Promise<SentencePieceProcessor> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
  try {
    const file = join(folder, 'a.model');
    writeFileSync(file, model);
    const processor = new SentencePieceProcessor();
    await processor.load(file);
    return processor;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const python = process.env.DRAGOMAN_PYTHON ?? 'python3';
const probe = spawnSync(python, ['-c', 'import sentencepiece; print(sentencepiece.__version__)'], {
  encoding: 'utf8',
});

/** Why Google's own Python package cannot be asked; null if it can. */
export const noGoogle =
  probe.status === 0
    ? null
    : `no SentencePiece: ${python} -c "import sentencepiece" failed; set DRAGOMAN_PYTHON to a python that has it`;

/**
 * Runs a program in Python, with `sp` for the module sentencepiece and `job` for the input; it leaves its answer
 * in `answer`. Only where {@link noGoogle} is null.
 */
export function askGoogle<T>(program: string, job: unknown): T {
  const code = `import base64, json, sys\nimport sentencepiece as sp\njob = json.load(sys.stdin)\n${program}\njson.dump(answer, sys.stdout)`;
  const run = spawnSync(python, ['-c', code], {
    input: JSON.stringify(job),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, PYTHONUTF8: '1' },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as T;
}

/** Ids of a corpus of difficult lines, for those who compare. */
export function removeAfterwards(folder: string): string {
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}
