/**
 * Levenshtein distance: the fewest insertions, deletions and substitutions of tokens that turn one sequence
 * into the other (Levenshtein 1966), by Wagner & Fischer's table, one row at a time.
 */
export function editDistance<Token>(from: ArrayLike<Token>, to: ArrayLike<Token>): number {
  const row = Uint32Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let done = 0; done < from.length; done++) {
    const token = from[done];
    let diagonal = row[0]!;
    row[0] = done + 1;
    for (let column = 1; column <= to.length; column++) {
      const substitution = diagonal + (token === to[column - 1] ? 0 : 1);
      diagonal = row[column]!;
      row[column] = Math.min(substitution, diagonal + 1, row[column - 1]! + 1);
    }
  }
  return row[to.length]!;
}

/** The reference that a hypothesis is measured against, and its distance. */
export interface Nearest {
  readonly edits: number;
  /** Tokens of that reference. */
  readonly length: number;
}

/** The reference with the fewest edits; of equally near ones the longest, which has the lowest error rate. */
export function nearestReference(
  hypothesis: readonly string[],
  references: readonly (readonly string[])[],
): Nearest {
  let best: Nearest = { edits: Number.POSITIVE_INFINITY, length: 0 };
  for (const reference of references) {
    const edits = editDistance(hypothesis, reference);
    if (edits < best.edits || (edits === best.edits && reference.length > best.length)) {
      best = { edits, length: reference.length };
    }
  }
  return best;
}
