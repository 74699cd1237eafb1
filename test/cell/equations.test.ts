import { type Tensor, type Tensor3D, tensor, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cell, Weights } from '../../src/cell/cell.js';
import { createCell } from '../../src/cell/family.js';
import type { CellInput } from '../../src/cell/options.js';
import { startEngine } from '../../src/engine/engine.js';
import { SequenceMask } from '../../src/kernel/mask.js';
import { runSequence } from '../../src/kernel/sequence.js';
import { ParameterStore } from '../../src/model/parameters.js';
import { Random } from '../../src/random.js';

// Each cell against its paper's equations, written once more here: sums over single numbers, one row, 64-bit floats.

const INPUT = 3;
const HIDDEN = 4;
const TIME = 6;

type Vector = number[];
type Matrix = (name: string) => number[][];
type Bias = (name: string) => number[];
/** One step: from input and state to state; `read` picks the output. */
interface Equations {
  readonly step: (
    x: Vector,
    s: Record<string, Vector>,
    m: Matrix,
    b: Bias,
    t: number,
  ) => Record<string, Vector>;
  readonly read: (s: Record<string, Vector>) => Vector;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k);
const total = (terms: Vector): number => terms.reduce((a, b) => a + b, 0);
const times = (x: Vector, m: number[][]): Vector =>
  m[0]!.map((_, j) => total(x.map((v, i) => v * m[i]![j]!)));
const plus = (...vs: Vector[]): Vector => vs[0]!.map((_, k) => total(vs.map((v) => v[k]!)));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const each = (f: (z: number) => number, v: Vector): Vector => v.map((z) => f(z));
const net = (x: Vector, h: Vector, m: Matrix, b: Bias): Vector =>
  plus(times(x, m('kernel')), times(h, m('recurrent')), b('bias'));
const h = (s: Record<string, Vector>): Vector => s.h!;

const CASES: ReadonlyArray<readonly [CellInput, Equations]> = [
  ['elman', { step: (x, s, m, b) => ({ h: each(Math.tanh, net(x, s.h!, m, b)) }), read: h }],
  [
    { kind: 'jordan', hiddenUnits: 5, decay: 0.5 },
    {
      step: (x, s, m, b) => {
        const context = plus(
          each((v) => 0.5 * v, s.s!),
          s.y!,
        );
        const hidden = each(Math.tanh, net(x, context, m, b));
        return { s: context, y: each(Math.tanh, plus(times(hidden, m('output.kernel')), b('output.bias'))) };
      },
      read: (s) => s.y!,
    },
  ],
  [
    { kind: 'fully-recurrent', hiddenUnits: 2 },
    {
      step: (x, s, m, b) => ({ y: each(Math.tanh, net(x, s.y!, m, b)) }),
      read: (s) => s.y!.slice(0, HIDDEN),
    },
  ],
  [
    'lstm',
    {
      step: (x, s, m, b) => {
        const z = net(x, s.h!, m, b);
        const gate = (k: number, f: (v: number) => number): Vector =>
          each(f, z.slice(k * HIDDEN, (k + 1) * HIDDEN));
        const [i, g, f, o] = [gate(0, sigmoid), gate(1, Math.tanh), gate(2, sigmoid), gate(3, sigmoid)];
        const c = range(HIDDEN).map((k) => f[k]! * s.c![k]! + i[k]! * g[k]!);
        return { c, h: c.map((v, k) => o[k]! * Math.tanh(v)) };
      },
      read: h,
    },
  ],
  [
    'gru',
    {
      step: (x, s, m, b) => {
        const read = plus(times(x, m('kernel')), b('bias'));
        const block = (v: Vector, k: number): Vector => v.slice(k * HIDDEN, (k + 1) * HIDDEN);
        const u = times(s.h!, m('recurrent'));
        const r = each(sigmoid, plus(block(read, 0), block(u, 0)));
        const z = each(sigmoid, plus(block(read, 1), block(u, 1)));
        const reset = times(
          s.h!.map((v, k) => r[k]! * v),
          m('recurrent'),
        );
        const n = each(Math.tanh, plus(block(read, 2), block(reset, 2)));
        return { h: range(HIDDEN).map((k) => z[k]! * s.h![k]! + (1 - z[k]!) * n[k]!) };
      },
      read: h,
    },
  ],
  [
    { kind: 'echo-state', leak: 0.3, sparsity: 0.5, biasScaling: 0.5 },
    {
      step: (x, s, m, b) => ({
        h: each(Math.tanh, net(x, s.h!, m, b)).map((v, k) => 0.7 * s.h![k]! + 0.3 * v),
      }),
      read: h,
    },
  ],
  [
    { kind: 'continuous-time', timeConstant: 2, step: 1.5, substeps: 3 },
    {
      step: (x, s, m, b) => {
        let now = s.h!;
        for (let n = 0; n < 3; n++) {
          const wanted = net(x, each(Math.tanh, now), m, b);
          now = now.map((v, k) => {
            const tau = 0.5 * (1 + Math.exp(b('time')[k]!));
            return v + (0.5 / tau) * (-v + wanted[k]!);
          });
        }
        return { h: now };
      },
      read: (s) => each(Math.tanh, s.h!),
    },
  ],
  [
    { kind: 'hierarchical', periods: [1, 3] },
    {
      // Units 0 and 1 move at every step, fed by all; units 2 and 3 at steps 0, 3, 6, …, fed by themselves alone.
      step: (x, s, m, b, t) => {
        const blocked = (name: string) =>
          name === 'recurrent'
            ? m(name).map((row, j) => row.map((v, k) => (j < 2 && k > 1 ? 0 : v)))
            : m(name);
        const fresh = each(Math.tanh, net(x, s.h!, blocked, b));
        return { h: fresh.map((v, k) => (k < 2 || t % 3 === 0 ? v : s.h![k]!)), clock: [t + 1] };
      },
      read: h,
    },
  ],
  [
    { kind: 'recurrent-mlp', widths: [3, 5] },
    {
      step: (x, s, m, b) => {
        const layer = (below: Vector, before: Vector, k: string): Vector =>
          each(
            Math.tanh,
            plus(times(below, m(`kernel${k}`)), times(before, m(`recurrent${k}`)), b(`bias${k}`)),
          );
        const h1 = layer(x, s.h1!, '');
        const h2 = layer(h1, s.h2!, '2');
        return { h1, h2, h3: layer(h2, s.h3!, '3') };
      },
      read: (s) => s.h3!,
    },
  ],
  [
    { kind: 'second-order', rank: 0, activation: 'sigmoid' },
    {
      // W_ijk stands in row k, column j * HIDDEN + i of the kernel.
      step: (x, s, m, b) => ({
        h: range(HIDDEN).map((i) =>
          sigmoid(
            total(
              range(HIDDEN).flatMap((j) => x.map((v, k) => m('kernel')[k]![j * HIDDEN + i]! * s.h![j]! * v)),
            ) + b('bias')[i]!,
          ),
        ),
      }),
      read: h,
    },
  ],
  [
    { kind: 'second-order', rank: 2 },
    {
      // The same with W_ijk = sum_r R_ri P_jr Q_kr.
      step: (x, s, m, b) => ({
        h: range(HIDDEN).map((i) =>
          Math.tanh(
            total(
              range(2).flatMap((r) =>
                range(HIDDEN).flatMap((j) =>
                  x.map(
                    (v, k) =>
                      m('mixing')[r]![i]! * m('recurrent')[j]![r]! * m('kernel')[k]![r]! * s.h![j]! * v,
                  ),
                ),
              ),
            ) + b('bias')[i]!,
          ),
        ),
      }),
      read: h,
    },
  ],
  [
    { kind: 'sequential-cascaded', rank: 0, stateWidth: 2, activation: 'sigmoid' },
    {
      // First the weights w_ij of this step from the state, then the layer that they make; the last j is the constant 1.
      step: (x, s, m, b) => {
        const state = [...s.h!.slice(0, 2), 1]; // and the context network's own constant
        const rows = [...m('kernel'), b('bias')];
        const w = rows.map((row) =>
          range(HIDDEN).map((i) => total(state.map((v, k) => row[k * HIDDEN + i]! * v))),
        );
        return { h: each(sigmoid, times([...x, 1], w)) };
      },
      read: h,
    },
  ],
  [
    { kind: 'sequential-cascaded', rank: 2, stateWidth: 3 },
    {
      step: (x, s, m, b) => {
        const read = plus(times(x, m('kernel')), b('bias'));
        const c = times(s.h!.slice(0, 3), m('recurrent'));
        const generated = times(
          c.map((v, r) => v * read[HIDDEN + r]!),
          m('mixing'),
        );
        return { h: each(Math.tanh, plus(read.slice(0, HIDDEN), generated)) };
      },
      read: h,
    },
  ],
  [
    { kind: 'hopfield', settlingSteps: 3, inverseTemperature: 0.5 },
    {
      step: (x, s, m, b) => {
        const u = m('recurrent');
        const symmetric = u.map((row, j) => row.map((v, k) => (j === k ? 0 : (v + u[k]![j]!) / 2)));
        const clamped = plus(times(x, m('kernel')), b('bias'));
        let now = s.s!;
        for (let n = 0; n < 3; n++)
          now = each((z) => Math.tanh(0.5 * z), plus(clamped, times(now, symmetric)));
        return { s: now };
      },
      read: (s) => s.s!,
    },
  ],
];

beforeAll(async () => {
  await startEngine('cpu');
});

describe('the equations of', () => {
  for (const [options, equations] of CASES) {
    it(JSON.stringify(options), () => {
      const cell = createCell(options, INPUT, HIDDEN);
      const w = weightsOf(cell);
      const random = new Random(2);
      const x = range(TIME).map(() => range(INPUT).map(() => random.normal()));
      const matrix: Matrix = (name) => w[name]!.arraySync() as number[][];
      const bias: Bias = (name) => w[name]!.arraySync() as number[];
      let state = Object.fromEntries(
        Object.entries(cell.initial(1)).map(([name, value]) => [name, value.arraySync()[0]!]),
      );
      const expected = x.map((xt, t) => {
        state = equations.step(xt, state, matrix, bias, t);
        return equations.read(state);
      });
      const { outputs, final } = tidy(() => {
        const inputs = tensor(x.flat(), [TIME, 1, INPUT]) as Tensor3D;
        const mask = new SequenceMask(Int32Array.of(TIME), TIME);
        const run = runSequence(cell, w, inputs, cell.initial(1), mask);
        return {
          outputs: run.outputs.arraySync(),
          final: Object.entries(run.final).map(([name, value]) => [name, value.arraySync()[0]!] as const),
        };
      });
      // 32-bit floats over six steps of numbers below 10: about 1e-6.
      expected.forEach((row, t) => {
        row.forEach((value, k) => {
          expect(Math.abs(outputs[t]![0]![k]! - value), `step ${t}, unit ${k}`).toBeLessThan(1e-5);
        });
      });
      for (const [name, values] of final) {
        values.forEach((value, k) => {
          expect(Math.abs(value - state[name]![k]!)).toBeLessThan(1e-5);
        });
      }
      for (const value of Object.values(w)) value.dispose();
    });
  }
});

/** Weights as the cell draws them, the biases too moved away from zero. */
function weightsOf(cell: Cell): Weights {
  const store = new ParameterStore(cell.parameters, new Random(1));
  const random = new Random(3);
  const weights: Record<string, Tensor> = {};
  for (const { name, shape, trainable } of cell.parameters) {
    const values = store.read(name);
    weights[name] = tensor(trainable ? values.map((v) => v + 0.3 * random.normal()) : values, [...shape]);
  }
  store.dispose();
  return weights;
}
