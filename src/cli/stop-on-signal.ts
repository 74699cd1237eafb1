/**
 * Lets a first Ctrl-C (or a polite kill) end the work in order; a second one ends the process.
 *
 * @param say Told once, with `message`, that the first has come.
 */
export function stopOnSignal(
  say: (text: string) => void,
  message: string,
): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    say(message);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    release() {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
    },
  };
}
