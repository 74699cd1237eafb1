import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { DragomanError, excerpt, messageOf } from '../errors.js';
import type { Weights } from './weights.js';

const figure = z.number();

const fileSchema = z.strictObject({
  /** What was maximised: the signature of a metric. */
  objective: z.string().optional(),
  /** What it was on the lists that the weights were learned on. */
  development: z
    .strictObject({
      sentences: figure,
      candidates: figure,
      /** Of the first candidates as they came, of those the weights choose, and the best there is. */
      before: figure,
      after: figure,
      oracle: figure,
    })
    .optional(),
  /** The command line that wrote the file. */
  command: z.string().optional(),
  /** Of every feature by name; 0 for one that plays no part. */
  weights: z.record(z.string(), z.number()),
});

/** Learned weights and where they come from. */
export type WeightsFile = z.output<typeof fileSchema>;

const HEAD = '# Weights of features, for: dragoman rerank … --weights THIS_FILE\n';

/** The text of a weights file. {@link parseWeightsFile} reads it back. */
export function formatWeightsFile(file: WeightsFile): string {
  return HEAD + stringify(file, { lineWidth: 0 });
}

/** Reads a weights file. Throws `input`, naming file, line and column. */
export async function readWeightsFile(file: string): Promise<WeightsFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new DragomanError(
      'input',
      `${file}: expected weights as name=value,name=value or a weights file, got ${missing ? 'no such file' : messageOf(error)}`,
    );
  }
  return parseWeightsFile(text, file);
}

/** Reads the text of a weights file; `file` stands in errors. Only `weights` has to be there. */
export function parseWeightsFile(text: string, file: string): WeightsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const [broken] = document.errors;
  if (broken) throw new DragomanError('input', `${at(broken.pos[0])}: not a YAML file: ${broken.message}`);
  const parsed = fileSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path;
  const node = document.getIn(path, true);
  const range = typeof node === 'object' && node !== null && 'range' in node ? (node.range as number[]) : [0];
  const name = path.map(String).join('.');
  const said = issue.code === 'unrecognized_keys' ? `unknown key ${excerpt(name)}` : issue.message;
  throw new DragomanError(
    'input',
    `${at(range[0] ?? 0)}: ${name === '' ? '' : `${name}: `}expected a weights file as \`dragoman rerank tune\` writes it: ${said}`,
  );
}

/** `name=value,name=value`, or else the name of a weights file: a text with `=` is never one. */
export function isWeightsFile(text: string): boolean {
  return !text.includes('=');
}

/** The features that weights do not leave out, for a person: `0.5 model + 0.2 length`. */
export function formula(weights: Weights): string {
  const terms = Object.entries(weights).flatMap(([name, weight]) =>
    weight === 0 ? [] : [`${weight} ${name}`],
  );
  return terms.join(' + ') || '0';
}
