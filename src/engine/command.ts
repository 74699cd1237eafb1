import { spawn } from 'node:child_process';

/** How much of a command's output is kept, in characters: enough for its last words. */
const TAIL = 20_000;

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the command; this process's by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** Seconds after which the command and what it started is ended. */
  readonly limit: number;
}

/** Runs a command to its end and gives its standard output. */
export type Run = (command: string, args: readonly string[], options: CommandOptions) => Promise<string>;

/** The line of a command's output that most likely says what was wrong. */
export function lastWords(output: string): string {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const told = lines.findLast((line) => /\b(error|fatal|cannot|not found|no module|unable)\b/i.test(line));
  return (told ?? lines.at(-1) ?? 'no message').slice(0, 300);
}

/**
 * Runs a program without a shell.
 * @throws Error whose one-line message is the command's own last word: not found, time over, or its exit status
 */
export const run: Run = (command, args, { cwd, env, limit }) =>
  new Promise((resolve, reject) => {
    const posix = process.platform !== 'win32';
    // A group of its own, so that what the command started ends with it.
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: posix,
    });
    let stdout = '';
    let all = '';
    let late = false;
    const end = (): void => {
      try {
        if (posix && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        else child.kill('SIGKILL');
      } catch {
        // it has ended meanwhile
      }
    };
    const interrupted = (signal: NodeJS.Signals): void => {
      end();
      leave();
      process.kill(process.pid, signal);
    };
    const leave = (): void => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted).off('exit', end);
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limit * 1000);
    process.on('SIGINT', interrupted).on('SIGTERM', interrupted).on('exit', end);

    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-TAIL);
      all = (all + text).slice(-TAIL);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      all = (all + text).slice(-TAIL);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      leave();
      reject(error.code === 'ENOENT' ? new Error(`${command} was not found`) : error);
    });
    child.on('close', (status, signal) => {
      leave();
      if (late) reject(new Error(`${command} took more than ${limit} seconds`));
      else if (status === 0) resolve(stdout);
      else reject(new Error(`${command} ended with ${signal ?? `status ${status}`}: ${lastWords(all)}`));
    });
  });
