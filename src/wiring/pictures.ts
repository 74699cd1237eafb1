import type { CellKind } from '../cell/options.js';
import { bidirectional } from './bidirectional.js';
import { cascaded, cascadedFull, secondOrder, secondOrderFull } from './bilinear.js';
import { drawWiring } from './draw.js';
import { gru, lstm } from './gated.js';
import { hopfield, modernHopfield } from './settling.js';
import { echoState, elman, fullyRecurrent, jordan, recurrentMlp } from './simple.js';
import { continuousTime, hierarchical } from './timed.js';
import type { Wiring } from './wiring.js';

/** The pictures of a kind of cell, by the names of their files. A new kind may have one here, and need not. */
const OF_KIND: Readonly<Partial<Record<CellKind, Readonly<Record<string, Wiring>>>>> = {
  elman: { elman },
  jordan: { jordan },
  'fully-recurrent': { 'fully-recurrent': fullyRecurrent },
  lstm: { lstm },
  gru: { gru },
  'echo-state': { 'echo-state': echoState },
  'continuous-time': { 'continuous-time': continuousTime },
  hierarchical: { hierarchical },
  'recurrent-mlp': { 'recurrent-mlp': recurrentMlp },
  'second-order': { 'second-order-full': secondOrderFull, 'second-order': secondOrder },
  'sequential-cascaded': { 'sequential-cascaded-full': cascadedFull, 'sequential-cascaded': cascaded },
  hopfield: { hopfield, 'modern-hopfield': modernHopfield },
};

/** Every wiring that there is a picture of. */
export const WIRINGS: Readonly<Record<string, Wiring>> = Object.assign(
  { bidirectional },
  ...Object.values(OF_KIND),
);

/** Every picture as an SVG element, by the name of its file without the ending. */
export function wiringPictures(): ReadonlyMap<string, string> {
  return new Map(Object.entries(WIRINGS).map(([name, picture]) => [name, drawWiring(picture)]));
}

/** The pictures of one kind, as SVG elements. */
export function wiringsOf(kind: string): readonly string[] {
  const own = Object.entries(OF_KIND).find(([known]) => known === kind)?.[1];
  return own === undefined ? [] : Object.values(own).map(drawWiring);
}
