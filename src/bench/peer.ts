import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DragomanError, excerpt } from '../errors.js';
import { type Contender, type Entry, Unavailable } from './speed-case.js';

/** The programs in src/peers, each a module that `serve.py` runs. */
export type PeerProgram = 'product' | 'layer' | 'addition' | 'adam' | 'training' | 'decoding';

/** How to start a program that speaks the lines of src/peers/serve.py. */
export interface PeerPrograms {
  /** For the reader: `PyTorch 2.13.0`. */
  readonly version: string;
  command(program: PeerProgram): readonly [command: string, ...words: string[]];
}

const SERVE = fileURLToPath(new URL('../../src/peers/serve.py', import.meta.url));
const PROBE = 'import torch; print(torch.__version__)';

/**
 * The programs beside us, if this Python has PyTorch.
 * @returns the programs, or in one line why there are none
 */
export function findPeers(python: string): PeerPrograms | string {
  const { status, stdout, stderr, error } = spawnSync(python, ['-c', PROBE], { encoding: 'utf8' });
  if (status === 0) {
    return { version: `PyTorch ${stdout.trim()}`, command: (program) => [python, SERVE, program] };
  }
  const last = stderr?.trim().split('\n').at(-1);
  return `${python}: ${error === undefined ? excerpt(last ?? `exit ${status}`) : 'not found'}`;
}

/** A peer that is started for one case. `flops` of a run, where its work is the same as ours. */
export function peerEntry(
  peers: PeerPrograms | null,
  program: PeerProgram,
  name: string,
  job: { readonly threads: number; readonly seed: number; readonly [key: string]: unknown },
  options: { readonly asked?: number; readonly flops?: number } = {},
): Entry[] {
  if (peers === null) return [];
  const open = () => processContender(name, new PeerProcess(peers.command(program)), job, options.flops);
  return [{ name, asked: options.asked, open }];
}

/** What a process does that speaks the lines of src/peers/serve.py, once it is ready for the job. */
export async function processContender(
  name: string,
  peer: PeerProcess,
  job: object,
  flops?: number,
): Promise<Contender> {
  try {
    const { ready } = await peer.ask({ prepare: job });
    const { amount } = ready as { amount: number };
    return {
      name,
      amount,
      flops: flops ?? null,
      run: async (times) => (await peer.ask({ run: times })).ms as number,
      memory: async () => (await peer.ask({ memory: true })).mib as number,
      dispose: () => peer.close(),
    };
  } catch (error) {
    peer.close();
    throw error;
  }
}

/** A process that answers one JSON object a line with one. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #said = '';

  /** @param environment beside this process' own */
  constructor([command, ...words]: readonly [string, ...string[]], environment: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(command, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // A terminal's Ctrl-C is for us: the turn ends, and what was measured is shown. The process ends with its input.
      detached: true,
      // An installed package's folder is not to be written to.
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...environment },
    });
    this.#child.on('error', (error) => {
      this.#said = error.message;
    });
    // Writing to a process that has ended is told by the answer that does not come.
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-1000);
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** @throws {@link Unavailable} with what the program says it cannot do; DragomanError `training` if it ends or answers no JSON */
  async ask(request: object): Promise<Readonly<Record<string, unknown>>> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) {
      const last = this.#said.trim().split('\n').at(-1) || 'nothing';
      throw new Unavailable(`the program ended without an answer; it said: ${last}`);
    }
    const reply = parse(value as string);
    if (typeof reply.error === 'string') throw new Unavailable(reply.error);
    return reply;
  }

  close(): void {
    this.#child.stdin!.end();
    this.#child.kill();
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new DragomanError('input', `peer program: expected a JSON object a line, got ${excerpt(line)}`);
}
