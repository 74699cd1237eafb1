import { Alias, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { DragomanError, excerpt, messageOf } from '../errors.js';
import type { Locate, Path } from './problems.js';

/** References to anchors allowed in one file; more is an attack ("billion laughs"), not a configuration. */
const MOST_ALIASES = 100;

/** The value of a YAML text, and where in it each key stands. */
export interface Located {
  readonly value: unknown;
  /** `train.yaml:12:3` for the last key on the way to a path that the text really has. */
  readonly locate: Locate;
}

/** @throws DragomanError `config`: what is not YAML here, and where. `file` is the name that messages give. */
export function readYaml(text: string, file: string): Located {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
    const [broken] = [...document.errors, ...document.warnings];
    if (broken) {
      const [start, end] = broken.pos;
      throw new DragomanError(
        'config',
        `${at(start)}: ${yamlError(broken.code, broken.message, text, start, end)}`,
      );
    }
    const { contents } = document;
    const resolve = (alias: Alias) => alias.resolve(document);
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    return { value, locate: (path) => at(offsetOf(contents, path, resolve)) };
  } catch (error) {
    if (error instanceof DragomanError) throw error;
    // The parser throws plain errors for too many aliases and for nesting beyond the stack.
    throw new DragomanError('config', `${file}:1:1: not a usable YAML file: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The offset of the last key on the way to `path` that the file really has. */
function offsetOf(contents: Node | null, path: Path, resolve: (alias: Alias) => Node | undefined): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const key of path) {
    if (node instanceof Alias) node = resolve(node);
    if (!isMap(node)) break;
    const pair = node.items.find(
      (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(key),
    );
    if (!pair) break;
    if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
    node = pair.value;
  }
  return offset;
}

function yamlError(code: string, message: string, text: string, start: number, end: number): string {
  const piece = text.slice(start, Math.max(end, start + 1)).split('\n')[0] ?? '';
  if (code === 'TAB_AS_INDENT') return 'expected spaces before a key, got a tab';
  if (code === 'DUPLICATE_KEY') {
    const key = /^[^:\s]+/.exec(text.slice(start))?.[0] ?? piece;
    return `the key ${excerpt(key)} stands twice in one section`;
  }
  if (code === 'MULTIPLE_DOCS') return 'expected one YAML document, got several';
  return `not valid YAML: ${message.split('\n')[0]}`;
}
