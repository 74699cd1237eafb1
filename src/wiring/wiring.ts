import type { CellInput } from '../cell/options.js';

// What a picture of a network's wiring is made of. Coordinates are in pixels, from the upper left corner.

export type Point = readonly [x: number, y: number];

/** The parts of a picture. */
export const NODE_KINDS = [
  /** What the step reads. */
  'input',
  /** A state of the last step. */
  'before',
  /** A state of this step. */
  'after',
  /** Adds what enters. */
  'sum',
  /** Multiplies what enters, element by element. */
  'product',
  /** Something else that is done to what enters. */
  'function',
  /** A number or vector that is there without an input. */
  'constant',
  /** Where one arrow becomes two. */
  'fork',
  /** What leaves the network. */
  'output',
] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

export interface WiringNode {
  readonly kind: NodeKind;
  readonly at: Point;
  /** `h_{t-1}` has an index; a sum, a product and a fork need no text. */
  readonly text?: string;
  /** Of a function; as wide as its text needs if absent. */
  readonly width?: number;
}

export interface WiringArrow<N extends string = string> {
  readonly from: N;
  readonly to: N;
  /** Corners on the way. */
  readonly via?: readonly Point[];
  /** In place of corners: the height of a level stretch, straight above or below both ends. */
  readonly rail?: number;
  /** A weight matrix by which what passes is multiplied. */
  readonly weight?: string;
  /** Anything else that is said of the arrow. */
  readonly label?: string;
  /** Leads into the next step, or to another round within the step. */
  readonly dashed?: true;
  /** The segment that carries the text, counted from 0; the longest if absent. */
  readonly segment?: number;
  /** The text stands on the other side: below, or to the left. */
  readonly flip?: true;
}

/** One step of a network, as it is drawn. */
export interface Wiring<N extends string = string> {
  /** For who cannot see it, and for the pointer. */
  readonly title: string;
  /** A cell whose parameters are the weights; null where they are those of any cell. */
  readonly cell: CellInput | null;
  readonly size: readonly [width: number, height: number];
  readonly nodes: Readonly<Record<N, WiringNode>>;
  readonly arrows: readonly WiringArrow<N>[];
  /** The symbols under which a parameter stands in the picture, separated by spaces: `{ kernel: 'W' }`. */
  readonly weights: Readonly<Record<string, string>>;
  /** What is said below the picture beside the names of the weights. */
  readonly note?: string;
}

/** A wiring whose arrows the compiler holds to its nodes. */
export function wiring<const N extends string>(description: Wiring<N>): Wiring {
  return description;
}
