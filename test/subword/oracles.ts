import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SentencePieceProcessor } from 'sentencepiece-js';

/** Google's library compiled to WebAssembly (sentencepiece-js), with a model of these bytes. */
export async function wasmProcessor(model: Uint8Array): Promise<SentencePieceProcessor> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
  // Every load hangs handlers on the process, which would hide failures.
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = new Set(events.flatMap((event) => process.listeners(event as NodeJS.Signals)));
  try {
    const file = join(folder, 'a.model');
    writeFileSync(file, model);
    const processor = new SentencePieceProcessor();
    await processor.load(file);
    return processor;
  } finally {
    for (const event of events) {
      for (const handler of process.listeners(event as NodeJS.Signals)) {
        if (!before.has(handler)) process.off(event, handler);
      }
    }
    rmSync(folder, { recursive: true });
  }
}

const python = process.env.DRAGOMAN_PYTHON ?? 'python3';
const probe = spawnSync(python, ['-c', 'import sentencepiece; print(sentencepiece.__version__)'], {
  encoding: 'utf8',
});

/** Skips a test, saying why, where Google's own Python package cannot be asked. */
export function skipWithoutGoogle(context: { skip(reason: string): void }): void {
  if (probe.status === 0) return;
  const reason = `no SentencePiece: ${python} -c "import sentencepiece" failed; set DRAGOMAN_PYTHON to a python that has it`;
  console.warn(`skipped: ${reason}`);
  context.skip(reason);
}

/**
 * Runs a program in Python, with `sp` for the module sentencepiece and `job` for the input; it leaves its answer
 * in `answer`.
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
