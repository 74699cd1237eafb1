import { Writable } from 'node:stream';
import { run } from '../../src/cli/run.js';
import { Terminal } from '../../src/cli/terminal.js';

/** What one run of the command line said, and its exit code. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Recorder extends Writable {
  text = '';
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs the command line in this process. Standard input is not to be read in such a test. */
export async function dragoman(...words: string[]): Promise<Run> {
  const out = new Recorder();
  const err = new Recorder();
  const code = await run(words, new Terminal(out, err));
  return { code, out: out.text, err: err.text };
}
