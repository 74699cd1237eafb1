import type { Random } from '../random.js';

// Reber's grammar (Reber 1967, "Implicit learning of artificial grammars"), and its embedded form, in which the
// second symbol must come again at the end whatever was between (Cleeremans, Servan-Schreiber & McClelland 1989,
// "Finite state automata and simple recurrent networks").

/** Symbols in the order of their numbers. */
export const REBER_SYMBOLS = 'BTSXPVE';

/** From each state: which symbol leads where. State 0 is before B; the last one is after E. */
const TRANSITIONS: readonly Readonly<Record<string, number>>[] = [
  { B: 1 },
  { T: 2, P: 3 },
  { S: 2, X: 4 },
  { T: 3, V: 5 },
  { X: 3, S: 6 },
  { P: 4, V: 6 },
  { E: 7 },
  {},
];

/** A string of a grammar and, for each of its symbols but the first, all that could have stood there. */
export interface GrammarString {
  readonly text: string;
  /** `next[t]` holds the symbols that may follow `text[t]`. */
  readonly next: readonly string[];
}

/** A random string, every branch with probability 1/2: `BTSSXXTVVE`. */
export function reberString(random: Random): GrammarString {
  let text = '';
  const next: string[] = [];
  for (let state = 0; ; ) {
    const ways = Object.entries(TRANSITIONS[state]!);
    if (ways.length === 0) return { text, next };
    if (text !== '') next.push(ways.map(([symbol]) => symbol).join(''));
    const [symbol, to] = ways[random.integer(ways.length)]!;
    text += symbol;
    state = to;
  }
}

/**
 * A random string of the embedded grammar: B, then T or P, a string of Reber's grammar, the same T or P, E.
 * @param inside strings of Reber's grammar in a row between the two; more than one makes the way to remember longer
 */
export function embeddedReberString(random: Random, inside = 1): GrammarString {
  const branch = random.integer(2) === 0 ? 'T' : 'P';
  let text = `B${branch}`;
  const next = ['TP'];
  for (let k = 0; k < inside; k++) {
    const inner = reberString(random);
    text += inner.text;
    next.push('B', ...inner.next);
  }
  return { text: `${text}${branch}E`, next: [...next, branch, 'E'] };
}
