import { isUtf8 } from 'node:buffer';
import { DragomanError } from '../errors.js';
import { nameOf, readBytes, unreadable } from './input.js';

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Longest string that V8 holds is a little over 2^29; a longer line fails deep inside without this. */
const LONGEST_LINE = 2 ** 29 - 1024;

/**
 * The lines of a text file (or `-`), without their ends, in blocks of as many as have arrived. Only `\n` and
 * `\r\n` end a line, so U+2028 and a lone `\r` stay in theirs; the last line needs no end. A byte-order mark is
 * taken off. Bytes that are not UTF-8 and NUL characters are errors with their line.
 */
export async function* readLineBlocks(path: string, folder: string): AsyncGenerator<string[]> {
  const name = nameOf(path);
  let line = 0; // lines given out so far
  let pending: Buffer[] = []; // the beginning of a line whose end has not arrived
  let pendingLength = 0;

  const decode = (bytes: Buffer): string[] => {
    const lines = decodeLines(bytes, name, line);
    line += lines.length;
    return lines;
  };

  try {
    for await (const chunk of readBytes(path, folder)) {
      const end = chunk.lastIndexOf(NEWLINE);
      pending.push(end < 0 ? chunk : chunk.subarray(0, end));
      pendingLength += chunk.length;
      if (pendingLength > LONGEST_LINE) {
        throw new DragomanError(
          'input',
          `${name}:${line + 1}: expected a line below 512 MiB, got a longer one`,
        );
      }
      if (end < 0) continue;
      const whole = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
      pending = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
      pendingLength = chunk.length - end - 1;
      yield decode(whole);
    }
  } catch (error) {
    throw unreadable(error, name, line);
  }
  const rest = Buffer.concat(pending);
  const onlyMark = line === 0 && rest.equals(BYTE_ORDER_MARK);
  if (rest.length > 0 && !onlyMark) yield decode(rest);
}

/** The lines of a text file relative to `folder`, or of standard input (`-`), one by one. */
export async function* readLines(path: string, folder = '.'): AsyncGenerator<string> {
  for await (const block of readLineBlocks(path, folder)) yield* block;
}

/** Lines joined by `\n`, the last one without an end. `before` lines came before them. */
function decodeLines(bytes: Buffer, name: string, before: number): string[] {
  if (
    before === 0 &&
    ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
  ) {
    throw new DragomanError('input', `${name}:1: expected UTF-8 text, got UTF-16 (by its byte-order mark)`);
  }
  if (!isUtf8(bytes)) throw invalidUtf8(bytes, name, before);
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const { line, column } = position(bytes, nul, before);
    throw new DragomanError('input', `${name}:${line}: expected text, got a NUL character at byte ${column}`);
  }
  let text = bytes.toString('utf8');
  if (before === 0 && text.startsWith('\uFEFF')) text = text.slice(1);
  const lines = text.split('\n');
  if (text.includes('\r')) {
    for (let i = 0; i < lines.length; i++) {
      if (lines[i]!.endsWith('\r')) lines[i] = lines[i]!.slice(0, -1);
    }
  }
  return lines;
}

/** Where the first byte stands that cannot be UTF-8. */
function invalidUtf8(bytes: Buffer, name: string, before: number): DragomanError {
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  // Decoding replaces what is wrong with U+FFFD; the first that was not U+FFFD before is the place.
  const text = bytes.toString('utf8', start);
  let at = start;
  for (const character of text) {
    const length = Buffer.byteLength(character);
    if (character === '\uFFFD' && bytes.toString('latin1', at, at + length) !== '\xEF\xBF\xBD') break;
    at += length;
  }
  const { line, column } = position(bytes, at, before);
  const byte = `0x${bytes[at]!.toString(16).toUpperCase().padStart(2, '0')}`;
  return new DragomanError('input', `${name}:${line}: expected UTF-8 text, got ${byte} at byte ${column}`);
}

/** Line of the file, from 1, and byte of the line, from 1. */
function position(bytes: Buffer, at: number, before: number): { line: number; column: number } {
  let line = before + 1;
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0 && end < at; end = bytes.indexOf(NEWLINE, start)) {
    start = end + 1;
    line++;
  }
  return { line, column: at - start + 1 };
}
