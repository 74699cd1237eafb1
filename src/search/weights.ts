import { DragomanError, excerpt } from '../errors.js';
import type { Features, NBestList } from './nbest.js';
import { looksLikeNumber } from './nbest-fields.js';

/** Weight of each feature by name; features without one count 0. */
export type Weights = Readonly<Record<string, number>>;

/** Reads `name=value,name=value`. Throws `usage`. */
export function parseWeights(text: string): Weights {
  const weights: Record<string, number> = {};
  for (const part of text.split(',')) {
    const match = /^\s*(\S+?)\s*=\s*(\S+)\s*$/.exec(part);
    if (match === null || !looksLikeNumber(match[2]!)) {
      throw new DragomanError('usage', `expected weights as name=value,name=value, got ${excerpt(part)}`);
    }
    if (Object.hasOwn(weights, match[1]!)) {
      throw new DragomanError('usage', `expected each weight once, got ${excerpt(match[1]!)} again`);
    }
    weights[match[1]!] = Number(match[2]);
  }
  return weights;
}

/** Throws `usage` for a weight that is no number. */
export function checkWeights(weights: Weights): void {
  for (const [name, weight] of Object.entries(weights)) {
    if (!Number.isFinite(weight)) {
      throw new DragomanError('usage', `expected a finite weight of ${excerpt(name)}, got ${weight}`);
    }
  }
}

/** Every number of the features by its name: a feature of one value by its own, of several `name.0`, `name.1`, …. */
export function flatFeatures(features: Features): Map<string, number> {
  const flat = new Map<string, number>();
  for (const [name, values] of features) {
    if (values.length === 1) flat.set(name, values[0]!);
    else for (const [i, value] of values.entries()) flat.set(`${name}.${i}`, value);
  }
  return flat;
}

/** Where a hypothesis stands, for errors. */
export function placeOf({ where, id }: NBestList, index: number): string {
  return `${where}: hypothesis ${index + 1} of sentence ${id}`;
}

/**
 * The weighted sum of each hypothesis' features, added up in the order of the weights. Throws `input`, listing the
 * choices, for a weight (other than 0) of a feature that a hypothesis does not have.
 */
export function listScores(list: NBestList, weights: Weights): number[] {
  const terms = Object.entries(weights);
  return list.entries.map(({ features }, i) => {
    const flat = flatFeatures(features);
    let sum = 0;
    for (const [name, weight] of terms) {
      const value = flat.get(name);
      if (value !== undefined) sum += weight * value;
      else if (weight !== 0) {
        throw new DragomanError(
          'input',
          `${placeOf(list, i)}: expected a feature ${excerpt(name)}, which has a weight; there are ` +
            `${[...flat.keys()].join(', ') || 'none'}`,
        );
      }
    }
    return sum;
  });
}

/**
 * Throws `input` where a hypothesis has features that `names` does not have, naming them: weights that were learned
 * with other features than these would silently leave some out.
 *
 * @param owner Whose names they are, such as `weights.yaml`.
 */
export function requireKnownFeatures(list: NBestList, names: ReadonlySet<string>, owner: string): void {
  for (const [i, { features }] of list.entries.entries()) {
    const unknown = [...flatFeatures(features).keys()].filter((name) => !names.has(name));
    if (unknown.length === 0) continue;
    throw new DragomanError(
      'input',
      `${placeOf(list, i)}: expected only features that have a weight in ${owner} (0 leaves one out), ` +
        `got ${unknown.map(excerpt).join(', ')} besides`,
    );
  }
}
