import { z } from 'zod';

// What each kind of cell can be told, one entry a kind. Every default stands once, here, with its reason; the
// descriptions make docs/configuration.md. Knows nothing of tensors, so that reading a configuration stays fast.

const count = z.int().positive();
const rank = z.int().min(0).default(64);
const activation = z
  .enum(['tanh', 'sigmoid'])
  .default('tanh')
  .describe("The units' function; sigmoid is the paper's, tanh has the steeper slope.");

/** The options of every kind of cell. A new kind is one entry here, one file beside this and one line in family.ts. */
export const cellOptions = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('elman').describe('Simple recurrent network (Elman 1990).') }),
  z.strictObject({
    kind: z.literal('jordan').describe('The context is the previous output (Jordan 1986).'),
    hiddenUnits: count
      .optional()
      .describe('Units between context and output; as many as the output has if absent.'),
    decay: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('Share of the old context that stays beside the previous output; 0: the output alone.'),
  }),
  z.strictObject({
    kind: z
      .literal('fully-recurrent')
      .describe('One pool of units, each fed by all; some are the output (Williams & Zipser 1989).'),
    hiddenUnits: count
      .optional()
      .describe('Units of the pool beside those that are read out; as many as are read out if absent.'),
  }),
  z.strictObject({
    kind: z
      .literal('lstm')
      .describe('Long short-term memory (Hochreiter & Schmidhuber 1997, Gers et al. 2000).'),
  }),
  z.strictObject({ kind: z.literal('gru').describe('Gated recurrent unit (Cho et al. 2014).') }),
  z.strictObject({
    kind: z
      .literal('echo-state')
      .describe('Fixed random reservoir; only what reads it learns (Jaeger 2001).'),
    spectralRadius: z
      .number()
      .positive()
      .default(0.9)
      .describe('Largest modulus of an eigenvalue of the reservoir; below 1 the past fades.'),
    leak: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe('Share of a unit that is new at each step; 1 is no leak (Jaeger et al. 2007).'),
    sparsity: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe('Share of absent connections; every unit keeps at least one.'),
    inputScaling: z.number().positive().default(1).describe('Input weights are uniform between ± this.'),
    biasScaling: z.number().min(0).default(0).describe('Biases are uniform between ± this; 0 is none.'),
  }),
  z
    .strictObject({
      kind: z
        .literal('continuous-time')
        .describe(
          'tau dh/dt = -h + W x + U tanh(h) + b by Euler steps (Funahashi & Nakamura 1993, Beer 1995).',
        ),
      timeConstant: z.number().positive().default(2).describe('tau at the start of training; it is learned.'),
      step: z.number().positive().default(1).describe('Time between two inputs.'),
      substeps: count.default(2).describe('Euler steps between two inputs; each must be shorter than tau.'),
    })
    .superRefine(({ timeConstant, step, substeps }, context) => {
      if (timeConstant > step / substeps) return;
      const message = `expected more than one Euler step, step / substeps = ${step / substeps}, got ${timeConstant}`;
      context.addIssue({ code: 'custom', path: ['timeConstant'], message });
    }),
  z.strictObject({
    kind: z
      .literal('hierarchical')
      .describe('Modules with slower and slower clocks (El Hihi & Bengio 1995, Koutník et al. 2014).'),
    periods: z
      .array(count)
      .min(1)
      .refine((periods) => periods.every((period, k) => k === 0 || period > periods[k - 1]!), {
        message: 'expected clock periods in rising order',
        when: ({ issues }) => issues.length === 0,
      })
      .default([1, 2, 4, 8])
      .describe('Clock period of each module in steps, rising; the units are shared out evenly.'),
  }),
  z.strictObject({
    kind: z
      .literal('recurrent-mlp')
      .describe('Several layers in a step, each with its own feedback (Puskorius & Feldkamp 1994).'),
    widths: z
      .array(count)
      .min(1)
      .optional()
      .describe('Units of each layer below the one that is read out; one of equal width if absent.'),
  }),
  z.strictObject({
    kind: z.literal('second-order').describe('Products of state and input (Giles et al. 1992).'),
    rank: rank.describe(
      'Rank of the weight tensor; 0 is the full one, hidden² × input numbers, for small networks.',
    ),
    activation,
  }),
  z.strictObject({
    kind: z
      .literal('sequential-cascaded')
      .describe('The state generates the weights of the next step (Pollack 1987, 1991).'),
    stateWidth: count
      .optional()
      .describe('Units, of those that are read out, that generate the weights; all if absent.'),
    rank: rank.describe('Rank of the generated weights; 0 is the full tensor, for small networks.'),
    activation,
  }),
  z.strictObject({
    kind: z
      .literal('hopfield')
      .describe('Symmetric weights, settled under a clamped input (Hopfield 1982, 1984).'),
    settlingSteps: count.default(3).describe('Updates of all units between two inputs.'),
    inverseTemperature: z
      .number()
      .positive()
      .default(1)
      .describe('Steepness of the units; large values make them binary.'),
  }),
]);

/** A cell with every option filled in. */
export type CellOptions = z.output<typeof cellOptions>;
export type CellKind = CellOptions['kind'];
/** The options of one kind. */
export type OptionsOf<K extends CellKind> = Extract<CellOptions, { kind: K }>;
/** A cell as a user names it: a kind, or a section with a kind and some of its options. */
export type CellInput = CellKind | z.input<typeof cellOptions>;

/** Every kind of cell. */
export const CELL_KINDS: readonly CellKind[] = cellOptions.options.map(({ shape }) => shape.kind.value);

/** Fills in the options that were not given. */
export function resolveCell(input: CellInput): CellOptions {
  return cellOptions.parse(typeof input === 'string' ? { kind: input } : input);
}

/** Why a cell cannot have so many units; null if it can. */
export function sizeProblem(cell: CellOptions, hidden: number): string | null {
  if (cell.kind === 'hierarchical' && hidden < cell.periods.length) {
    return `expected at most as many clock periods as units, got ${cell.periods.length} periods for ${hidden} units`;
  }
  if (cell.kind === 'sequential-cascaded' && cell.stateWidth !== undefined && cell.stateWidth > hidden) {
    return `expected a stateWidth of at most ${hidden} units, got ${cell.stateWidth}`;
  }
  return null;
}
