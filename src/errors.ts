/**
 * What went wrong, in one word. `usage`, `input`, `config` and `engine` are the user's to mend (exit code 2);
 * `model` and `training` are failures of the work (exit code 1).
 */
export type ErrorCode = 'usage' | 'input' | 'config' | 'engine' | 'model' | 'training';

const USER_ERRORS: ReadonlySet<ErrorCode> = new Set(['usage', 'input', 'config', 'engine']);

/** Longest piece of the user's own data that is repeated in a message, in characters. */
const EXCERPT_LENGTH = 60;

/**
 * The one error type the library throws. The message is one line: what was expected, what came, and where
 * (`train.de:10443: …`). Only the command line prints it.
 */
export class DragomanError extends Error {
  override readonly name = 'DragomanError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(oneLine(message), options);
  }

  /** 2 for wrong usage or bad input, 1 for a failure of the work. */
  get exitCode(): 1 | 2 {
    return USER_ERRORS.has(this.code) ? 2 : 1;
  }
}

/** A short, quoted, single-line excerpt of the user's text for an error message. */
export function excerpt(text: string): string {
  const short = text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text;
  return JSON.stringify(short.toWellFormed());
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A text of several lines as one. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
