/** The exit code of a command that was interrupted after it had put its work in order (128 + SIGINT). */
export const INTERRUPTED = 130;

/** Thrown by a command that Ctrl-C has ended in order; the message says how to go on. */
export class Interruption extends Error {}
