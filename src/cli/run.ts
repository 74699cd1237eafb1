import { CommanderError } from '@commander-js/extra-typings';
import { DragomanError, messageOf, oneLine } from '../errors.js';
import { INTERRUPTED, Interruption } from './interruption.js';
import { commandsOf, createProgram, isDone } from './program.js';
import type { Terminal } from './terminal.js';

/**
 * Runs the command line once.
 *
 * @param words The arguments after the program's name.
 * @returns The exit code: 0 success, 1 a failure of the work, 2 wrong usage or bad input.
 */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const program = await createProgram(terminal, commandsOf(words));
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (isDone(error) || isClosedPipe(error)) return 0;
    const { message, exitCode } = explain(error);
    if (message !== '') terminal.say(`dragoman: ${message}`);
    const debug = program.opts().debug || words.includes('--debug');
    if (debug && error instanceof Error && error.stack) terminal.say(error.stack);
    return exitCode;
  }
}

/** The reader of our output has seen enough (`dragoman … | head`): no error. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof DragomanError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof Interruption) return { message: error.message, exitCode: INTERRUPTED };
  if (error instanceof CommanderError) {
    // Commander has shown the help already where it says '(outputHelp)'.
    if (error.code === 'commander.help') return { message: '', exitCode: 2 };
    return { message: oneLine(error.message.replace(/^error: /, '').trim()), exitCode: 2 };
  }
  const system = error instanceof Error && 'syscall' in error;
  const message = oneLine(messageOf(error).trim());
  return { message: system ? message : `internal error: ${message} (--debug shows where)`, exitCode: 1 };
}
