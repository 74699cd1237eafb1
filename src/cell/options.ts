import { z } from 'zod';
import type { CellClass } from './cell.js';
import { MEMBERS } from './members.js';

type Members = typeof MEMBERS;
type MemberOptions = Members[keyof Members]['options'];

/** A cell with every option filled in. */
export type CellOptions = z.output<MemberOptions>;
export type CellKind = CellOptions['kind'];
/** The options of one kind. */
export type OptionsOf<K extends CellKind> = Extract<CellOptions, { kind: K }>;
/** A cell as a user names it: a kind, or a section with a kind and some of its options. */
export type CellInput = CellKind | z.input<MemberOptions>;

/** The table as the compiler checks it: under each kind a class with this kind, its options, and nothing else. */
const FAMILY: { readonly [K in CellKind]: CellClass<K> } = MEMBERS;

/** Every kind of cell. */
export const CELL_KINDS = Object.keys(MEMBERS) as readonly CellKind[];

/** The options of every kind of cell, each from the cell's own file. */
export const cellOptions = z.discriminatedUnion(
  'kind',
  CELL_KINDS.map((kind) => MEMBERS[kind].options) as [MemberOptions, ...MemberOptions[]],
);

/** The class of a kind of cell. */
export function memberOf<K extends CellKind>(kind: K): CellClass<K> {
  return FAMILY[kind];
}

/** Fills in the options that were not given. */
export function resolveCell(input: CellInput): CellOptions {
  return cellOptions.parse(typeof input === 'string' ? { kind: input } : input);
}

/** Why a cell cannot have so many units; null if it can. */
export function sizeProblem(cell: CellOptions, hidden: number): string | null {
  return problemOf(cell.kind, cell, hidden);
}

function problemOf<K extends CellKind>(kind: K, cell: OptionsOf<K>, hidden: number): string | null {
  return FAMILY[kind].sizeProblem?.(cell, hidden) ?? null;
}
