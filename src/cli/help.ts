import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';
import { nearest } from '../nearest.js';

/** `dragoman help`: commander's own shows the general help for a command that there is none of. */
export function helpCommand(program: CommandUnknownOpts) {
  return new Command('help')
    .description('show the help of a command')
    .argument('[command...]', 'the command')
    .addHelpText('after', '\nExamples:\n  dragoman help translate')
    .action((words) => {
      let command = program;
      for (const word of words) command = subcommand(command, word);
      command.outputHelp();
    });
}

function subcommand(parent: CommandUnknownOpts, name: string): CommandUnknownOpts {
  const found = parent.commands.find((command) => command.name() === name);
  if (found) return found;
  const names = parent.commands.map((command) => command.name());
  if (names.length === 0)
    throw new DragomanError('usage', `help: ${parent.name()} has no commands, got "${name}"`);
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : ` (did you mean "${meant}"?)`;
  throw new DragomanError('usage', `help: expected one of ${names.join(', ')}, got "${name}"${hint}`);
}
