import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/** The command line that was given, for a file that says how it was made: arguments, then options in their order. */
export function commandLine(command: CommandUnknownOpts): string {
  const path: string[] = [];
  for (let at: CommandUnknownOpts | null = command; at !== null; at = at.parent) path.unshift(at.name());
  const words = [...path, ...command.args];
  for (const option of command.options) {
    const key = option.attributeName();
    if (command.getOptionValueSource(key) !== 'cli') continue;
    const value: unknown = command.getOptionValue(key);
    const flag = option.long ?? option.flags;
    // A variadic option takes its values together, a repeated one each with the flag.
    if (Array.isArray(value) && option.variadic) words.push(flag, ...value.map(String));
    else
      for (const one of Array.isArray(value) ? value : [value])
        words.push(flag, ...(one === true ? [] : [String(one)]));
  }
  return words.map(shellWord).join(' ');
}

/** A word as a shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
