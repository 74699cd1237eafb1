import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { createProgram } from '../../src/cli/program.js';
import { Terminal } from '../../src/cli/terminal.js';

// docs/cli.md is what `--help` prints; `npx vitest run test/cli/reference.test.ts -u` writes it anew.

const INTRODUCTION = `# The command line

Results go to standard output, everything else to standard error; a progress bar where standard error is a
terminal, plain lines where it is not. Exit code 0 is success, 1 a failure of the work, 2 wrong usage or bad input,
130 an interruption. Errors are one line that says what was expected, what came, and where; \`--debug\` adds the stack.

Text is UTF-8, a sentence a line; a name ending in \`.gz\` is unpacked and packed; \`-\` is standard input or output. An
empty line is a sentence and keeps its place. Output files appear under their name when they are whole, and none is
replaced without \`--overwrite\`. Scores are natural logarithms of probabilities.

This page is what \`--help\` prints; a test holds the two together.
`;

/** The text of docs/cli.md. */
export async function commandPage(): Promise<string> {
  const program = await createProgram(new Terminal(process.stdout, process.stderr));
  const help = (command: CommandUnknownOpts): string => {
    let text = '';
    command.configureOutput({
      writeOut: (part) => {
        text += part;
      },
      getOutHelpWidth: () => 100,
    });
    command.outputHelp();
    return text.trim();
  };
  const section = (command: CommandUnknownOpts, name: string): string =>
    `\n## ${name}\n\n\`\`\`\n${help(command)}\n\`\`\`\n` +
    command.commands.map((child) => section(child, `${name} ${child.name()}`)).join('');
  const commands = program.commands.map((command) => section(command, command.name()));
  return `${INTRODUCTION}\n\`\`\`\n${help(program)}\n\`\`\`\n${commands.join('')}`;
}
