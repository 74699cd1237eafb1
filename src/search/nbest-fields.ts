import { DragomanError, excerpt } from '../errors.js';

/** A line number of the source, from 0. Throws `input`. */
export function parseId(text: string, where: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new DragomanError('input', `${where}: expected a sentence id (0, 1, …), got ${excerpt(text)}`);
  }
  return Number(text);
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Whether this is how a system writes a score: a decimal number, or an infinity or NaN in any usual spelling. */
export function looksLikeNumber(text: string): boolean {
  return NUMBER.test(text) || /^[+-]?(?:inf|infinity|nan)$/i.test(text);
}

/** A finite number. Throws `input`, naming what it stands for. */
export function parseScore(text: string, what: string, where: string): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw new DragomanError('input', `${where}: expected a finite number as ${what}, got ${excerpt(text)}`);
  }
  return value;
}

/** A computed score as it is written: nine digits, which hold a float32. Scores that came in are kept as they are. */
export function rounded(value: number): number {
  return Number(value.toPrecision(9));
}
