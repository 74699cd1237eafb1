import { DragomanError } from '../errors.js';

/**
 * References of a corpus: one set of lines, or several sets `[set][line]`, each as long as the hypotheses.
 * A line that has fewer references than others carries `null` in the sets that have none for it.
 */
export type References = readonly string[] | readonly (readonly (string | null)[])[];

/** References regrouped by line, and what the signature says of their number. */
export interface AlignedReferences {
  /** `[line][reference]`, absent ones removed, at least one a line. */
  readonly lines: readonly (readonly string[])[];
  /** The number of references of every line, or `var` where lines differ. */
  readonly count: number | 'var';
}

/**
 * Checks that hypotheses and references are aligned and regroups the references by line.
 *
 * @throws DragomanError `input` for an empty corpus, no reference set, sets of another length, a line without
 *   any reference. Lines are counted from 1.
 */
export function alignReferences(
  metric: string,
  hypotheses: readonly string[],
  references: References,
): AlignedReferences {
  if (hypotheses.length === 0) {
    throw new DragomanError('input', `${metric}: expected at least one hypothesis, got none`);
  }
  const sets = referenceSets(references);
  if (sets.length === 0) {
    throw new DragomanError('input', `${metric}: expected at least one set of references, got none`);
  }
  for (const [index, set] of sets.entries()) {
    if (set.length !== hypotheses.length) {
      throw new DragomanError(
        'input',
        `${metric}: expected as many lines in reference set ${index + 1} as hypotheses (${hypotheses.length}), got ${set.length}`,
      );
    }
  }
  const lines = hypotheses.map((_, line) => {
    const present = sets.map((set) => set[line]).filter((reference) => typeof reference === 'string');
    if (present.length === 0) {
      throw new DragomanError('input', `${metric}: line ${line + 1}: expected a reference, got none`);
    }
    return present;
  });
  const first = lines[0]!.length;
  return { lines, count: lines.every((line) => line.length === first) ? first : 'var' };
}

/**
 * The same references with `null` for every line that holds nothing but whitespace: how text files say that a
 * sentence has no further reference.
 */
export function withoutEmpty(references: References): References {
  return referenceSets(references).map((set) => set.map((line) => (line?.trim() ? line : null)));
}

function referenceSets(references: References): readonly (readonly (string | null)[])[] {
  const isOneSet = (given: References): given is readonly string[] => typeof given[0] === 'string';
  return isOneSet(references) ? [references] : references;
}
