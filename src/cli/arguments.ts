import { InvalidArgumentError } from '@commander-js/extra-typings';
import { DragomanError } from '../errors.js';

// Parsers for commander's options: what comes in is a text, what goes on is a checked number.

function decimal(text: string): number {
  // Number('') and Number('0x10') are numbers too, but nobody means them.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

/** A number for which `holds` is true; `expected` says so in words. */
function numeric(expected: string, holds: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = decimal(text);
    if (Number.isFinite(value) && holds(value)) return value;
    throw new InvalidArgumentError(`Expected ${expected}.`);
  };
}

export const anyNumber = numeric('a number', () => true);
export const positiveInteger = numeric('a positive whole number', (x) => Number.isSafeInteger(x) && x > 0);
export const wholeNumber = numeric('a whole number, 0 or more', (x) => Number.isSafeInteger(x) && x >= 0);
export const integer = numeric('a whole number', Number.isSafeInteger);
export const positiveNumber = numeric('a positive number', (x) => x > 0);
export const nonNegativeNumber = numeric('a number, 0 or more', (x) => x >= 0);
export const probability = numeric('a number above 0 and at most 1', (x) => x > 0 && x <= 1);

/** Collects an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/**
 * Refuses options that were given but would do nothing: none is ever accepted and ignored.
 *
 * @param flags By their camel-case names; `undefined` was not given.
 * @throws DragomanError `usage`, naming the first of them.
 */
export function refuse(flags: Readonly<Record<string, unknown>>, why: string): void {
  for (const [name, value] of Object.entries(flags)) {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value !== undefined) throw new DragomanError('usage', `--${flag} ${why}`);
  }
}
