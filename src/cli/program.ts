import { Command, CommanderError, type CommandUnknownOpts, Help, Option } from '@commander-js/extra-typings';
import type { EngineName } from '../engine/engine.js';
import { VERSION } from '../version.js';
import { additionCommand } from './addition.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { familyCommand } from './family.js';
import { helpCommand } from './help.js';
import { quickstartCommand } from './quickstart.js';
import { rerankCommand } from './rerank.js';
import { scoreCommand } from './score.js';
import { subwordCommand } from './subword.js';
import type { Terminal } from './terminal.js';
import { trainCommand } from './train.js';
import { translateCommand } from './translate.js';

/** Every command: one line here and one file beside this one. */
const COMMANDS: readonly ((terminal: Terminal) => CommandUnknownOpts)[] = [
  quickstartCommand,
  trainCommand,
  translateCommand,
  scoreCommand,
  rerankCommand,
  evaluateCommand,
  subwordCommand,
  additionCommand,
  familyCommand,
  doctorCommand,
];

/** Repeated here because the engine's own module loads TensorFlow.js, for which `--help` should not wait. */
const ENGINES: Readonly<Record<EngineName, true>> = { tensorflow: true, wasm: true, cpu: true };

const EXAMPLES = `
Examples:
  dragoman train data/vscode-ui/train.yaml            train a model from a configuration
  dragoman translate models/vscode-ui < in.txt        one translation a line
  dragoman score models/vscode-ui --source in.txt --target out.txt
  dragoman doctor                                     which engine computes, and why

Documentation: README.md and docs/ in the package.`;

/** The command line, ready to parse. It throws where commander would end the process. */
export function createProgram(terminal: Terminal) {
  const program = new Command('dragoman')
    .description('Sequence-to-sequence translation with recurrent networks.')
    .version(VERSION, '-V, --version', 'print the version')
    .addOption(engineOption())
    .addOption(debugOption())
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', EXAMPLES)
    // Options belong to the command before them, so that `rerank` and `rerank tune` can have the same ones.
    .enablePositionalOptions();
  program.hook('preAction', (_, command) => {
    const { engine } = command.optsWithGlobals() as { engine?: string };
    // The flag is the environment variable for this process: whoever starts the engine needs no wiring.
    if (engine !== undefined) process.env.DRAGOMAN_ENGINE = engine;
  });
  setUp(program, terminal);
  for (const create of COMMANDS) {
    const command = create(terminal);
    setUp(command, terminal);
    addGlobalOptions(command);
    program.addCommand(command);
  }
  const help = helpCommand(program);
  setUp(help, terminal);
  addGlobalOptions(help as CommandUnknownOpts);
  program.helpCommand(false).addCommand(help as CommandUnknownOpts);
  return program;
}

/** The program's own options. A command that has others inside it keeps its options to itself. */
function globalOptions(command: CommandUnknownOpts): Option[] {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root === command ? [] : new Help().visibleOptions(root).filter(({ long }) => long !== '--help');
}

function engineOption() {
  return new Option('--engine <name>', 'what computes; the fastest that is installed by default').choices(
    Object.keys(ENGINES),
  );
}

function debugOption() {
  return new Option('--debug', 'show the stack of an error');
}

/** Global options are taken behind the command's name too; help lists them once, as global. */
function addGlobalOptions(command: CommandUnknownOpts): void {
  command.addOption(engineOption().hideHelp()).addOption(debugOption().hideHelp());
  for (const child of command.commands) addGlobalOptions(child);
}

function setUp(command: CommandUnknownOpts, terminal: Terminal): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: globalOptions })
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      // main.ts prints errors, in one line.
      outputError: () => {},
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
    });
  for (const child of command.commands) setUp(child, terminal);
}

/** Whether commander has done what was asked (`--help`, `--version`). */
export function isDone(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}
