import type { Random } from '../random.js';

// The seven languages over 0 and 1 of Tomita 1982 ("Dynamic construction of finite automata from examples using
// hill-climbing"), on which Pollack 1991 and Giles et al. 1992 tried their networks.

export interface TomitaGrammar {
  readonly description: string;
  /** `next[state][symbol]`; state 0 is the first. */
  readonly next: readonly (readonly [number, number])[];
  /** States in which a string is accepted. */
  readonly accepting: readonly number[];
}

/** Grammars 1 to 7, in order. */
export const TOMITA: readonly TomitaGrammar[] = [
  {
    description: '1*',
    next: [
      [1, 0],
      [1, 1],
    ],
    accepting: [0],
  },
  {
    description: '(10)*',
    next: [
      [2, 1],
      [0, 2],
      [2, 2],
    ],
    accepting: [0],
  },
  {
    description: 'no odd run of 0 after an odd run of 1',
    // 0: even run of 1, or 0s after it; 1: odd run of 1; 2, 3: odd, even run of 0 after it; 4: refused for good.
    next: [
      [0, 1],
      [2, 0],
      [3, 4],
      [2, 1],
      [4, 4],
    ],
    accepting: [0, 1, 3],
  },
  {
    description: 'no 000',
    next: [
      [1, 0],
      [2, 0],
      [3, 0],
      [3, 3],
    ],
    accepting: [0, 1, 2],
  },
  {
    description: 'even number of 0 and of 1',
    next: [
      [1, 2],
      [0, 3],
      [3, 0],
      [2, 1],
    ],
    accepting: [0],
  },
  {
    description: 'as many 0 as 1, modulo 3',
    next: [
      [1, 2],
      [2, 0],
      [0, 1],
    ],
    accepting: [0],
  },
  {
    description: '0*1*0*1*',
    next: [
      [0, 1],
      [2, 1],
      [2, 3],
      [4, 3],
      [4, 4],
    ],
    accepting: [0, 1, 2, 3],
  },
];

/** A string of 0s and 1s with what the language says of each prefix, the empty one first. */
export interface LabelledString {
  readonly symbols: readonly number[];
  /** `[symbols + 1]`: whether the first t symbols are a string of the language. */
  readonly accepted: readonly boolean[];
}

/** Runs the grammar's automaton over a string. */
export function labelPrefixes(grammar: TomitaGrammar, symbols: readonly number[]): LabelledString {
  let state = 0;
  const accepted = [grammar.accepting.includes(0)];
  for (const symbol of symbols) {
    state = grammar.next[state]![symbol]!;
    accepted.push(grammar.accepting.includes(state));
  }
  return { symbols, accepted };
}

/**
 * Draws strings of a length evenly from those that a grammar accepts, or from those that it refuses: by the number
 * of ways that lead from each state to the wanted end.
 */
export class TomitaSampler {
  /** `#ways[accepted][rest][state]`: strings of length `rest` that end as wanted. */
  readonly #ways: Readonly<Record<'accepted' | 'refused', number[][]>>;

  constructor(
    readonly grammar: TomitaGrammar,
    readonly longest: number,
  ) {
    const count = (wanted: boolean): number[][] => {
      const table: number[][] = [
        grammar.next.map((_, state) => (grammar.accepting.includes(state) === wanted ? 1 : 0)),
      ];
      while (table.length <= longest) {
        const shorter = table.at(-1)!;
        table.push(grammar.next.map(([zero, one]) => shorter[zero]! + shorter[one]!));
      }
      return table;
    };
    this.#ways = { accepted: count(true), refused: count(false) };
  }

  /** A string of this length, accepted or refused; null where there is none. */
  draw(length: number, accepted: boolean, random: Random): LabelledString | null {
    const ways = this.#ways[accepted ? 'accepted' : 'refused'];
    if (ways[length]![0] === 0) return null;
    const symbols: number[] = [];
    for (let state = 0, rest = length; rest > 0; rest--) {
      const [zero, one] = this.grammar.next[state]!;
      const [ifZero, ifOne] = [ways[rest - 1]![zero]!, ways[rest - 1]![one]!];
      const symbol = random.next() * (ifZero + ifOne) < ifZero ? 0 : 1;
      symbols.push(symbol);
      state = symbol === 0 ? zero : one;
    }
    return labelPrefixes(this.grammar, symbols);
  }

  /** A refused string that one changed symbol makes an accepted one; null where a few tries find none. */
  nearMiss(length: number, random: Random): LabelledString | null {
    const accepted = this.draw(length, true, random);
    for (let tries = 0; accepted !== null && tries < length; tries++) {
      const place = random.integer(length);
      const changed = accepted.symbols.map((symbol, k) => (k === place ? 1 - symbol : symbol));
      const labelled = labelPrefixes(this.grammar, changed);
      if (!labelled.accepted.at(-1)) return labelled;
    }
    return null;
  }
}
