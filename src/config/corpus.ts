import { z } from 'zod';
import { count, path } from './values.js';

/** A file with named columns. */
export const tableShape = {
  file: path.describe('A TSV, CSV or JSONL file; `.gz` is unpacked; `-` is standard input.'),
  format: z
    .enum(['tsv', 'csv', 'jsonl'])
    .optional()
    .describe("The file's format; its name's ending decides if absent."),
};
const oneFile = z.strictObject({
  ...tableShape,
  source: z
    .string()
    .min(1)
    .default('source')
    .describe('Column (from the header line) or JSON key of the source.'),
  target: z.string().min(1).default('target').describe('Column or JSON key of the target.'),
});
const twoFiles = z.strictObject({
  source: path.describe('Source sentences, one a line; `.gz` is unpacked; `-` is standard input.'),
  target: path.describe('Target sentences, line by line beside the source.'),
});
/** Exactly one of the two shapes; the loader tells them apart by the key `file`. */
const corpus = z.union([oneFile, twoFiles]);

/** How much of the training corpus stays in memory. */
export const corpusMemory = count
  .default(1024)
  .describe(
    'MiB of the training corpus (2 bytes a token, 4 with more than 65,536 entries) that stay in memory; what is more goes to a temporary file (`TMPDIR`) and is read from there as it is needed. 1024 hold 20 million pairs of sentences. Beside it a pair takes 28 bytes. Changes nothing else.',
  );

const maxLength = count
  .default(100)
  .describe(
    'Tokens a side; a longer pair is dropped and counted, never cut. 100 keeps nearly all of any corpus.',
  );
/** `data` of a translation model. */
export const dataSection = z.strictObject({
  train: corpus,
  validation: corpus,
  maxLength,
  memory: corpusMemory,
});
