import { Command, Option } from '@commander-js/extra-typings';
import { DragomanError, excerpt } from '../errors.js';
import { PIECE_TYPES } from '../subword/model.js';
import { positiveInteger } from './arguments.js';
import { announceInput } from './lines.js';
import { openOutput, withOutput } from './output.js';
import type { Terminal } from './terminal.js';

const FORMATS = ['pieces', 'ids'] as const;
type Format = (typeof FORMATS)[number];

/** `dragoman subword encode`: text in, pieces or their ids out, line by line. */
export function encodeCommand(terminal: Terminal) {
  return applyCommand('encode')
    .description('cut text into the pieces of a SentencePiece model, as spm_encode does')
    .addOption(new Option('-f, --format <name>', 'of the output').choices(FORMATS).default('pieces' as const))
    .option(
      '--nbest <n>',
      'the best n segmentations of each line, a line each, the best first; fewer where there are no more; unigram only',
      positiveInteger,
    )
    .addHelpText(
      'after',
      `
Examples:
  dragoman subword encode joint.model < test.en > test.pieces
  dragoman subword encode joint.model --nbest 5 < test.en > test.5best`,
    )
    .action(async (path, options) => {
      const { processor, ids, unknown } = await load(path);
      const { format, nbest } = options;
      const shown = (pieces: readonly string[]): string =>
        (format === 'ids' ? pieces.map((piece) => ids.get(piece) ?? unknown) : pieces).join(' ');
      await transform(terminal, options, (line) =>
        nbest === undefined
          ? [shown(processor.encode(line))]
          : processor.nbest(line, nbest).map(({ pieces }) => shown(pieces)),
      );
    });
}

/** `dragoman subword decode`: pieces or ids in, text out, line by line. */
export function decodeCommand(terminal: Terminal) {
  return applyCommand('decode')
    .description('put the pieces of a SentencePiece model together again, as spm_decode does')
    .addOption(new Option('-f, --format <name>', 'of the input').choices(FORMATS).default('pieces' as const))
    .addHelpText('after', '\nExamples:\n  dragoman subword decode joint.model < test.pieces')
    .action(async (path, options) => {
      const { processor, names } = await load(path);
      await transform(terminal, options, (line, number) => {
        const words = line.split(' ').filter((word) => word !== '');
        const pieces = options.format === 'pieces' ? words : words.map((word) => named(word, names, number));
        return [processor.decode(pieces)];
      });
    });
}

function applyCommand(name: string) {
  return new Command(name)
    .argument('<model>', 'a .model file')
    .option('-i, --input <file>', 'lines; .gz is unpacked', '-')
    .option('-o, --output <file>', 'where to; .gz is packed', '-')
    .option('--overwrite', 'replace an output file that exists');
}

async function load(path: string) {
  const { readFile } = await import('node:fs/promises');
  const { unreadable } = await import('../text/input.js');
  const { readSubwordModel } = await import('../subword/model-file.js');
  const { SubwordProcessor } = await import('../subword/processor.js');
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(error, path, 0);
  }
  const model = readSubwordModel(bytes, path);
  const names = model.pieces.map(({ piece }) => piece);
  // Text never becomes an unknown or control piece, so their names in it are unknown pieces.
  const ids = new Map(
    model.pieces.flatMap(({ piece, type }, id) =>
      type === PIECE_TYPES.unknown || type === PIECE_TYPES.control ? [] : [[piece, id] as const],
    ),
  );
  const unknown = model.pieces.findIndex(({ type }) => type === PIECE_TYPES.unknown);
  return { processor: new SubwordProcessor(model, { file: path }), names, ids, unknown };
}

function named(word: string, names: readonly string[], line: number): string {
  const name = /^\d+$/.test(word) ? names[Number(word)] : undefined;
  if (name === undefined) {
    throw new DragomanError(
      'input',
      `line ${line}: expected ids from 0 to ${names.length - 1}, got ${excerpt(word)}`,
    );
  }
  return name;
}

async function transform(
  terminal: Terminal,
  {
    input,
    output,
    overwrite,
  }: { input: string; output: string; overwrite?: true | undefined; format: Format },
  change: (line: string, number: number) => readonly string[],
): Promise<void> {
  const { readLines } = await import('../text/corpus.js');
  await withOutput(await openOutput(output, terminal, overwrite), async ({ print }) => {
    announceInput(input, terminal);
    let number = 0;
    for await (const line of readLines(input)) {
      for (const text of change(line, ++number)) await print(text);
    }
  });
}
