import { Random } from '../../src/random.js';

/** Lines of made-up words of these letters, a few words much more frequent than the rest. */
export function madeText(seed: number, letters: string, lines: number, words = 40): string[] {
  const random = new Random(seed);
  const alphabet = [...letters];
  const word = (): string =>
    Array.from({ length: 1 + random.integer(8) }, () => alphabet[random.integer(alphabet.length)]).join('');
  const known = Array.from({ length: words }, word);
  // The square makes the first words the frequent ones.
  const draw = (): string => known[Math.floor(random.next() ** 2 * known.length)]!;
  return Array.from({ length: lines }, () => Array.from({ length: 1 + random.integer(9) }, draw).join(' '));
}
