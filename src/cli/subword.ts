import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { DragomanError, messageOf } from '../errors.js';
import { writeDurably } from '../model/durable.js';
import { announceInput } from './lines.js';
import { decodeCommand, encodeCommand } from './subword-apply.js';
import { addTrainingOptions, trainingInput, withFlagsInErrors } from './subword-options.js';
import type { Terminal } from './terminal.js';

/** `dragoman subword`: SentencePiece models. */
export function subwordCommand(terminal: Terminal) {
  return new Command('subword')
    .description('train SentencePiece models, and cut text into their pieces')
    .addCommand(trainCommand(terminal))
    .addCommand(encodeCommand(terminal))
    .addCommand(decodeCommand(terminal))
    .addHelpText(
      'after',
      `
Examples:
  dragoman subword train train.en train.de --vocab-size 8000 --model-prefix joint
  dragoman subword encode joint.model < test.en > test.pieces
  dragoman subword decode joint.model < test.pieces`,
    );
}

/** `dragoman subword train`: text in, a `.model` and a `.vocab` file out. */
function trainCommand(terminal: Terminal) {
  const command = new Command('train')
    .description('train a SentencePiece model on text: writes PREFIX.model and PREFIX.vocab')
    .argument('[file...]', 'text, a sentence a line; .gz is unpacked; - or none is standard input')
    .requiredOption('-p, --model-prefix <prefix>', 'where to: the files without .model and .vocab')
    .option('--overwrite', 'replace files that exist')
    .addHelpText(
      'after',
      `
Options have the names, meanings and defaults of spm_train, with - for _.

Examples:
  dragoman subword train train.en train.de --vocab-size 8000 --model-prefix joint
  dragoman subword train corpus.gz --vocab-size 4000 --model-type bpe --byte-fallback -p en
  dragoman subword train names.txt --vocab-size 500 --no-hard-vocab-limit --character-coverage 1 -p names`,
    );
  // Its options come from a table, so their types are lost; the schema behind the table checks their values.
  addTrainingOptions(command as unknown as Command);
  return command.action(async (files, options) => {
    const { modelPrefix, overwrite = false } = options;
    const { resolveSubwordTraining } = await import('../subword/training-options.js');
    const training = await withFlagsInErrors(() => resolveSubwordTraining(trainingInput({ ...options })));
    const paths = { model: `${modelPrefix}.model`, vocab: `${modelPrefix}.vocab` };
    for (const path of Object.values(paths)) requireFree(path, overwrite);
    const inputs = files.length === 0 ? ['-'] : files;
    for (const input of inputs) announceInput(input, terminal);

    const { trainSubwordModel } = await import('../subword/train.js');
    const { subwordVocabText, writeSubwordModel } = await import('../subword/model-file.js');
    const model = await withFlagsInErrors(() =>
      trainSubwordModel(linesOf(inputs), training, { onMessage: (message) => terminal.say(message) }),
    );
    await write(paths.model, writeSubwordModel(model));
    await write(paths.vocab, subwordVocabText(model));
    terminal.say(`${model.pieces.length} pieces: ${paths.model}, ${paths.vocab}`);
  });
}

async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  const { readLines } = await import('../text/corpus.js');
  for (const file of files) yield* readLines(file);
}

/** @throws DragomanError `usage` before the work if the file could not be written after it */
function requireFree(path: string, overwrite: boolean): void {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory()) {
    throw new DragomanError('usage', `${path}: expected a file to write, got a folder`);
  }
  if (existing && !overwrite) {
    throw new DragomanError(
      'usage',
      `${path}: the file exists; give another name, or --overwrite to replace it`,
    );
  }
  if (statSync(dirname(path), { throwIfNoEntry: false }) === undefined) {
    throw new DragomanError('usage', `${path}: cannot be written: its folder does not exist`);
  }
}

async function write(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await writeDurably(path, content);
  } catch (error) {
    throw new DragomanError('input', `${path}: cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
