/** How often each n-gram occurs, a map for each order from 1; a key is its units with the separator between them. */
export function countNgrams(
  units: readonly string[],
  order: number,
  separator: string,
): Map<string, number>[] {
  const counts = Array.from({ length: order }, () => new Map<string, number>());
  for (let start = 0; start < units.length; start++) {
    let ngram = '';
    for (let n = 0; n < order && start + n < units.length; n++) {
      ngram = n === 0 ? units[start]! : ngram + separator + units[start + n]!;
      const ofOrder = counts[n]!;
      ofOrder.set(ngram, (ofOrder.get(ngram) ?? 0) + 1);
    }
  }
  return counts;
}
