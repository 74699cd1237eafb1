import { type Command, Option } from '@commander-js/extra-typings';
import { z } from 'zod';
import { peel } from '../config/fields.js';
import { DragomanError } from '../errors.js';
import { type SubwordTrainingInput, subwordTrainingSchema } from '../subword/training-options.js';
import { anyNumber, collect } from './arguments.js';

/** Adds an option for each one of subword training, with its name, meaning and default from the schema. */
export function addTrainingOptions(command: Command): void {
  for (const [name, field] of Object.entries(subwordTrainingSchema.shape)) {
    const { schema, fallback, description = '', required } = peel(field);
    const flag = flagOf(name);
    const sentence = description
      .replace(/\.$/, '')
      .replaceAll(/`([a-zA-Z]+)`/g, (_, option: string) => `--${flagOf(option)}`);
    const phrase = sentence.charAt(0).toLowerCase() + sentence.slice(1);
    const shown = fallback === '' ? phrase : `${phrase} (default: ${String(fallback).trim()})`;
    if (schema instanceof z.ZodBoolean) {
      command.addOption(
        fallback === true
          ? new Option(`--no-${flag}`, `turn off: ${phrase}`)
          : new Option(`--${flag}`, phrase),
      );
    } else if (schema instanceof z.ZodEnum) {
      command.addOption(new Option(`--${flag} <name>`, shown).choices(schema.options.map(String)));
    } else if (schema instanceof z.ZodNumber) {
      const option = new Option(`--${flag} <n>`, required ? phrase : shown).argParser(anyNumber);
      command.addOption(required ? option.makeOptionMandatory() : option);
    } else if (schema instanceof z.ZodArray) {
      command.addOption(
        new Option(`--${flag} <text>`, `${phrase}; may be repeated`).argParser<string[]>(collect),
      );
    } else {
      command.addOption(new Option(`--${flag} <text>`, shown));
    }
  }
}

/** The training options among all that were given. The schema has still to check them. */
export function trainingInput(flags: Readonly<Record<string, unknown>>): SubwordTrainingInput {
  const names = Object.keys(subwordTrainingSchema.shape);
  return Object.fromEntries(names.map((name) => [name, flags[name]])) as SubwordTrainingInput;
}

/** Runs work whose errors name training options as the library does, and names them as the command line does. */
export async function withFlagsInErrors<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DragomanError) || error.code !== 'usage') throw error;
    throw new DragomanError(error.code, inFlags(error.message), { cause: error });
  }
}

/** `vocabSize` is `--vocab-size`, `without hardVocabLimit` is `with --no-hard-vocab-limit`. */
function inFlags(message: string): string {
  return Object.keys(subwordTrainingSchema.shape).reduce((text, name) => {
    const flag = flagOf(name);
    const told = text.replaceAll(`without ${name}`, `with --no-${flag}`);
    // A name of one word, `seed`, is told from the word by where it stands.
    return flag === name
      ? told.replaceAll(`: ${name}: `, `: --${flag}: `)
      : told.replaceAll(new RegExp(`(?<![\\w-])${name}(?!\\w)`, 'g'), `--${flag}`);
  }, message);
}

function flagOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
