import { readLines } from '../text/lines.js';
import type { Terminal } from './terminal.js';

/** Tells a person at the keyboard that the program waits for them. */
export function announceInput(path: string, terminal: Terminal): void {
  if (path === '-' && process.stdin.isTTY) {
    terminal.say('reading from the terminal, a sentence a line; Ctrl-D ends');
  }
}

/** All lines of a file, or of standard input (`-`). */
export async function readAll(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(path)) lines.push(line);
  return lines;
}
