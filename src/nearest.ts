import { editDistance } from './metrics/edit-distance.js';

/** A word longer than this is no misspelt name. */
const LONGEST_NAME = 50;

/** The choice that `word` was most likely meant to be, or none if all are far from it. */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  if (word.length > LONGEST_NAME) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length * 0.4)) + 1;
  for (const choice of choices) {
    const distance = editDistance([...word.toLowerCase()], [...choice.toLowerCase()]);
    if (distance < least) [best, least] = [choice, distance];
  }
  return best;
}
