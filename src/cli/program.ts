import { Command, CommanderError, type CommandUnknownOpts, Help, Option } from '@commander-js/extra-typings';
import type { EngineName } from '../engine/engine.js';
import type { Precision } from '../engine/products.js';
import { VERSION } from '../version.js';
import { helpCommand } from './help.js';
import type { Terminal } from './terminal.js';

/** A command before its file is loaded: what the list of commands says of it. */
interface CommandEntry {
  readonly arguments?: string;
  readonly description: string;
  readonly load: () => Promise<(terminal: Terminal) => CommandUnknownOpts>;
}

/**
 * Every command: one entry here and one file beside this one. Only the file of the command that runs is loaded; a
 * test holds what stands here equal to what the file says.
 */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  quickstart: {
    description: 'make the corpus of UI strings, train on it for four minutes, measure, translate, rerank',
    load: async () => (await import('./quickstart.js')).quickstartCommand,
  },
  train: {
    arguments: '<config>',
    description: 'train a model from a configuration; prints the folder it is left in',
    load: async () => (await import('./train.js')).trainCommand,
  },
  translate: {
    arguments: '<model...>',
    description: 'translate lines: output line i is the translation of input line i',
    load: async () => (await import('./translate.js')).translateCommand,
  },
  score: {
    arguments: '<model...>',
    description:
      'score translations: the natural logarithm of P(target | source), one a line, in input order; with a language model, of P(target)',
    load: async () => (await import('./score.js')).scoreCommand,
  },
  rerank: {
    arguments: '[model...]',
    description: 'reorder n-best lists of any system by a weighted sum of features, best first',
    load: async () => (await import('./rerank.js')).rerankCommand,
  },
  evaluate: {
    arguments: '[model...]',
    description: 'measure translations against references: those of a model, or those in files',
    load: async () => (await import('./evaluate.js')).evaluateCommand,
  },
  subword: {
    description: 'train SentencePiece models, and cut text into their pieces',
    load: async () => (await import('./subword.js')).subwordCommand,
  },
  addition: {
    description: 'the arithmetic benchmark: a recurrent network learns to add binary numbers',
    load: async () => (await import('./addition.js')).additionCommand,
  },
  family: {
    arguments: '[task...]',
    description: 'measure the recurrent family: each member on the tasks that its inventors showed it on',
    load: async () => (await import('./family.js')).familyCommand,
  },
  bench: {
    description: 'measure this installation on this machine: its speed, and that all engines learn the same',
    load: async () => (await import('./bench.js')).benchCommand,
  },
  doctor: {
    description: 'say which engine computes, why, and how to get the faster one',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
};

/** The names of all commands, in the order of the help. */
export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** Repeated here because the engine's own module loads TensorFlow.js, for which `--help` should not wait. */
const ENGINES: Readonly<Record<EngineName, true>> = { tensorflow: true, wasm: true, cpu: true };
const PRODUCTS: Readonly<Record<Precision, true>> = { float32: true, bfloat16: true, int8: true };

const EXAMPLES = `
Examples:
  dragoman train data/vscode-ui/train.yaml            train a model from a configuration
  dragoman translate models/vscode-ui < in.txt        one translation a line
  dragoman score models/vscode-ui --source in.txt --target out.txt
  dragoman doctor                                     which engine computes, and why

Documentation: README.md and docs/ in the package.`;

/**
 * The command line, ready to parse. It throws where commander would end the process.
 *
 * @param loaded The commands that are to be whole; the others are only listed, and do nothing.
 */
export async function createProgram(terminal: Terminal, loaded: readonly string[] = COMMAND_NAMES) {
  const program = new Command('dragoman')
    .description('Sequence-to-sequence translation with recurrent networks.')
    .version(VERSION, '-V, --version', 'print the version')
    .addOption(engineOption())
    .addOption(productsOption())
    .addOption(debugOption())
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', EXAMPLES)
    // Options belong to the command before them, so that `rerank` and `rerank tune` can have the same ones.
    .enablePositionalOptions();
  program.hook('preAction', (_, command) => {
    const { engine, products } = command.optsWithGlobals() as { engine?: string; products?: string };
    // The flags are environment variables for this process: whoever starts the engine needs no wiring.
    if (engine !== undefined) process.env.DRAGOMAN_ENGINE = engine;
    if (products !== undefined) process.env.DRAGOMAN_PRODUCTS = products;
  });
  setUp(program, terminal);
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = loaded.includes(name) ? (await entry.load())(terminal) : listed(name, entry);
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

/** The command that these words call, or want the help of, as a list to load; empty if they name none. */
export function commandsOf(words: readonly string[]): string[] {
  const names: string[] = [];
  for (let i = 0; i < words.length && names.length === 0; i++) {
    const word = words[i]!;
    if (word === '--engine' || word === '--products') i++;
    else if (!word.startsWith('-') && word !== 'help') names.push(word);
  }
  return names.filter((name) => Object.hasOwn(COMMANDS, name));
}

function listed(name: string, entry: CommandEntry): CommandUnknownOpts {
  const command = new Command(name).description(entry.description) as CommandUnknownOpts;
  return entry.arguments === undefined ? command : command.arguments(entry.arguments);
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

function productsOption() {
  return new Option(
    '--products <kind>',
    'what the tensorflow engine multiplies in: float32 by default; int8 decodes fastest',
  ).choices(Object.keys(PRODUCTS));
}

function debugOption() {
  return new Option('--debug', 'show the stack of an error');
}

/** Global options are taken behind the command's name too; help lists them once, as global. */
function addGlobalOptions(command: CommandUnknownOpts): void {
  for (const option of [engineOption(), productsOption(), debugOption()])
    command.addOption(option.hideHelp());
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
