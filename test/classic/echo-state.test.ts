import { beforeAll, describe, expect, it } from 'vitest';
import { EchoStateNetwork, type EchoStateOptions } from '../../src/classic/echo-state.js';
import { memoryCapacity } from '../../src/classic/memory-capacity.js';
import { startEngine } from '../../src/engine/engine.js';
import { Random } from '../../src/random.js';

beforeAll(async () => {
  await startEngine();
});

const SMALL: EchoStateOptions = {
  units: 60,
  inputs: 1,
  outputs: 1,
  spectralRadius: 0.8,
  sparsity: 0.8,
  leak: 0.7,
  inputScaling: 1,
  biasScaling: 0.2,
  activation: 'tanh',
  readsInput: true,
};

/** sin(0.3 t), and the same a step later. */
function wave(steps: number): { inputs: Float64Array; targets: Float64Array } {
  const at = (t: number): number => Math.sin(0.3 * t);
  return {
    inputs: Float64Array.from({ length: steps }, (_, t) => at(t)),
    targets: Float64Array.from({ length: steps }, (_, t) => at(t + 1)),
  };
}

describe('the echo state network', () => {
  it('goes on with a wave by itself', () => {
    const random = new Random(1);
    const network = new EchoStateNetwork(SMALL, random);
    const { inputs, targets } = wave(500);
    network.train(inputs, targets, { washout: 100, regularization: 1e-9, noise: 0, random });
    let value = targets.subarray(499);
    for (let t = 501; t < 600; t++) {
      value = network.step(value);
      // A hundred steps of feeding its own output back; a wave of height 1.
      expect(Math.abs(value[0]! - Math.sin(0.3 * t))).toBeLessThan(1e-2);
    }
  });

  it('forgets how it started (the echo state property), and goes back to a snapshot', () => {
    const random = new Random(2);
    const network = new EchoStateNetwork(SMALL, random);
    const { inputs, targets } = wave(400);
    network.train(inputs, targets, { washout: 50, regularization: 1e-6, noise: 1e-4, random });
    const run = (): number[] => Array.from(inputs, (x) => network.step(Float64Array.of(x))[0]!);
    const from = network.snapshot();
    const once = run();
    network.restore(from);
    expect(run()).toEqual(once);
    network.restore(from.map((_, k) => (k % 2 === 0 ? 1 : -1)));
    const other = run();
    expect(Math.abs(other[0]! - once[0]!)).toBeGreaterThan(1e-3);
    expect(Math.abs(other.at(-1)! - once.at(-1)!)).toBeLessThan(1e-6);
  });

  it('says what is wrong', () => {
    const random = new Random(3);
    const network = new EchoStateNetwork(SMALL, random);
    expect(() => network.step(Float64Array.of(1))).toThrow('after training');
    const { inputs, targets } = wave(10);
    const training = { washout: 10, regularization: 1, noise: 0, random };
    expect(() => network.train(inputs, targets, training)).toThrow(
      'expected more than 10 steps (washout), got 10',
    );
  });
});

describe('memory capacity', () => {
  const options = { delays: 40, trainingSteps: 2000, testSteps: 3000, spectralRadius: 0.9 };

  it.each(['linear', 'tanh'] as const)('of %s units never exceeds their number', (activation) => {
    for (const units of [5, 20]) {
      for (const seed of [1, 2, 3]) {
        const { total, byDelay } = memoryCapacity({ ...options, units, activation }, new Random(seed));
        // Chance adds about 1/testSteps for each delay: 0.013 in all, here with a wide margin.
        expect(total).toBeLessThan(units + 0.1);
        expect(total).toBeGreaterThan(units / 3);
        // What is 40 steps back 5 units do not remember.
        if (units === 5) expect(byDelay.at(-1)).toBeLessThan(0.05);
      }
    }
  });
});
