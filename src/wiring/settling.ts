import { wiring } from './wiring.js';

// States that move until they stay.

export const hopfield = wiring({
  title: 'Hopfield network: symmetric weights settle while the input is held',
  cell: 'hopfield',
  size: [640, 250],
  nodes: {
    s0: { kind: 'before', at: [60, 135], text: 's_{t-1}' },
    begin: { kind: 'fork', at: [120, 135] },
    x: { kind: 'input', at: [220, 215], text: 'x_t' },
    b: { kind: 'constant', at: [275, 185], text: 'b' },
    sum: { kind: 'sum', at: [220, 135] },
    tanh: { kind: 'function', at: [320, 135], text: 'tanh' },
    end: { kind: 'fork', at: [390, 135] },
    s: { kind: 'after', at: [465, 135], text: 's_t' },
    out: { kind: 'output', at: [565, 135], text: 'output' },
  },
  arrows: [
    { from: 's0', to: 'begin' },
    { from: 'begin', to: 'sum', weight: 'S' },
    { from: 'x', to: 'sum', weight: 'W' },
    { from: 'b', to: 'sum' },
    { from: 'sum', to: 'tanh', label: 'β' },
    { from: 'tanh', to: 'end' },
    { from: 'end', to: 's' },
    { from: 's', to: 'out' },
    { from: 'end', to: 'begin', rail: 80, label: 'settlingSteps times', dashed: true },
    { from: 's', to: 's0', rail: 30, label: 'next step', dashed: true },
  ],
  weights: { kernel: 'W', recurrent: 'U', bias: 'b' },
  note: 'S = (U + Uᵀ) / 2 without its diagonal, β: inverseTemperature',
});

export const modernHopfield = wiring({
  title: 'Modern Hopfield network: a state moves towards the stored patterns that it is like',
  cell: null,
  size: [590, 160],
  nodes: {
    start: { kind: 'input', at: [55, 110], text: 'start' },
    begin: { kind: 'fork', at: [115, 110] },
    alike: { kind: 'function', at: [250, 110], text: 'softmax' },
    end: { kind: 'fork', at: [370, 110] },
    s: { kind: 'after', at: [430, 110], text: 's' },
    out: { kind: 'output', at: [515, 110], text: 'recalled' },
  },
  arrows: [
    { from: 'start', to: 'begin' },
    { from: 'begin', to: 'alike', weight: 'βXᵀ' },
    { from: 'alike', to: 'end', weight: 'X' },
    { from: 'end', to: 's' },
    { from: 's', to: 'out' },
    { from: 'end', to: 'begin', rail: 45, label: 'until it stays', dashed: true },
  ],
  weights: {},
  note: 'X: the stored patterns, a column each; as attention the last X is the memory',
});
