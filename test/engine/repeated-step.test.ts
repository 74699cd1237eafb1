import {
  matMul,
  mean,
  memory,
  mul,
  type Scalar,
  scalar,
  squaredDifference,
  sub,
  type Tensor2D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { RepeatedStep } from '../../src/engine/repeated-step.js';
import { createVariable, type Variable } from '../../src/engine/variables.js';
import { ParameterStore } from '../../src/model/parameters.js';
import { Random } from '../../src/random.js';
import { createOptimizer } from '../../src/train/optimizer.js';
import { describeOnEngines } from '../engines.js';

const ADAM = { kind: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Least squares: x `[rows, 2]` times w `[2, 1]` is to be y, by gradient descent with Adam, clipped. */
class Fit {
  readonly store = new ParameterStore(
    [
      { name: 'w', shape: [2, 1], initializer: { kind: 'constant', value: 0.5 }, trainable: true },
      { name: 'scale', shape: [], initializer: { kind: 'constant', value: 2 }, trainable: false },
    ],
    new Random(1),
  );
  readonly optimizer = createOptimizer(ADAM, this.store, 0.5);
  readonly step = new RepeatedStep<'x' | 'y'>(
    [...this.store.variables(), ...this.optimizer.variables()],
    ({ x, y }, settings) => {
      const { w, scale } = this.store.weights();
      const rows = x.shape[0]!;
      const said = mul(matMul(x as Tensor2D, w as Tensor2D), scale!);
      // d/dw of the mean of (scale x w - y)², written out.
      const byProduct = mul(mul(sub(said, y), scale!), 2 / rows);
      const gradient = matMul(x as Tensor2D, byProduct as Tensor2D, true, false);
      const norm = this.optimizer.update({ w: gradient }, settings);
      return [mean(squaredDifference(said, y)), norm];
    },
  );

  /** @returns loss and gradient norm */
  take(n: number, rows: number): number[] {
    const x = Float32Array.from({ length: 2 * rows }, (_, k) => Math.sin(n + 3 * k));
    const y = Float32Array.from({ length: rows }, (_, k) => 3 * x[2 * k]! - x[2 * k + 1]!);
    const inputs = { x: { values: x, shape: [rows, 2] }, y: { values: y, shape: [rows, 1] } };
    return this.step.run(inputs, this.optimizer.begin(0.05)).map((result) => {
      const [value] = result.dataSync();
      result.dispose();
      return value!;
    });
  }

  dispose(): void {
    this.step.dispose();
    this.optimizer.dispose();
    this.store.dispose();
  }
}

/** The same fit in 64-bit arithmetic. */
class SlowFit {
  w = [0.5, 0.5];
  m = [0, 0];
  v = [0, 0];
  n = 0;

  take(n: number, rows: number): number[] {
    let loss = 0;
    const gradient = [0, 0];
    for (let k = 0; k < rows; k++) {
      const [a, b] = [Math.sin(n + 6 * k), Math.sin(n + 6 * k + 3)];
      const error = 2 * (a * this.w[0]! + b * this.w[1]!) - (3 * a - b);
      loss += error ** 2 / rows;
      gradient[0]! += (4 * error * a) / rows;
      gradient[1]! += (4 * error * b) / rows;
    }
    const norm = Math.hypot(...gradient);
    this.n++;
    gradient.forEach((raw, k) => {
      const g = raw * Math.min(1, 0.5 / norm);
      this.m[k] = 0.9 * this.m[k]! + 0.1 * g;
      this.v[k] = 0.999 * this.v[k]! + 0.001 * g * g;
      const rate = (0.05 * Math.sqrt(1 - 0.999 ** this.n)) / (1 - 0.9 ** this.n);
      this.w[k]! -= (rate * this.m[k]!) / (Math.sqrt(this.v[k]!) + 1e-8);
    });
    return [loss, norm];
  }
}

describeOnEngines('a repeated step', (engine) => {
  it('computes what its function computes, whichever shapes come when', () => {
    const [fit, twin] = [new Fit(), new SlowFit()];
    // Two shapes: their graphs hand the variables to each other. The engines take 1 - 0.999 in 32
    // bits, which is off by 1.3e-5 of itself, and the steps carry it on.
    for (let n = 0; n < 40; n++) {
      const rows = n % 5 < 3 ? 4 : 7;
      const expected = twin.take(n, rows);
      fit.take(n, rows).forEach((value, k) => {
        expect(Math.abs(value - expected[k]!)).toBeLessThan(2e-4 * (1 + expected[k]!));
      });
    }
    fit.dispose();
  });

  it('gives what its function gives when it is run directly', () => {
    const [fit, direct] = [new Fit(), new Fit()];
    direct.step.run = (inputs, numbers = []) =>
      tidy(() => {
        const { x, y } = inputs;
        const tensors = { x: tensor(x.values, [...x.shape]), y: tensor(y.values, [...y.shape]) };
        return direct.step.compute(
          tensors,
          numbers.map((value) => scalar(value)),
        );
      });
    for (let n = 0; n < 20; n++) {
      const expected = direct.take(n, 5);
      // The same operations; TensorFlow may put some of a graph together.
      fit.take(n, 5).forEach((value, k) => {
        expect(Math.abs(value - expected[k]!)).toBeLessThan(1e-6 * (1 + expected[k]!));
      });
    }
    fit.dispose();
    direct.dispose();
  });

  it('leaves off where single steps go on, and takes up what they left', () => {
    const fit = new Fit();
    for (let n = 0; n < 6; n++) fit.take(n, 4);
    const fresh = new Fit();
    fresh.store.write('w', fit.store.read('w'));
    fresh.optimizer.restore(fit.optimizer.state());
    const same = (): void => {
      // A graph may round otherwise than single operations.
      fit.store.read('w').forEach((value, k) => {
        expect(value).toBeCloseTo(fresh.store.read('w')[k]!, 5);
      });
      const [left, right] = [fit.optimizer.state(), fresh.optimizer.state()];
      for (const [key, { data }] of Object.entries(left)) {
        data.forEach((value, k) => {
          expect(value, key).toBeCloseTo(right[key]!.data[k]!, 5);
        });
      }
    };
    for (let n = 0; n < 3; n++) {
      for (const { optimizer } of [fit, fresh]) {
        const gradient = tensor([[Math.sin(n) / 4], [0.3]]);
        optimizer.apply({ w: gradient }, 0.05).dispose();
        gradient.dispose();
      }
      same();
    }
    for (let n = 6; n < 12; n++) {
      const [left, right] = [fit, fresh].map((one) => one.take(n, 4));
      expect(left![0]).toBeCloseTo(right![0]!, 4);
    }
    same();
    fit.dispose();
    fresh.dispose();
  });

  it('leaves variables readable, writable and usable by single operations in between', () => {
    const [fit, twin] = [new Fit(), new SlowFit()];
    for (let n = 0; n < 6; n++) {
      fit.take(n, 4);
      twin.take(n, 4);
    }
    const near = (): void => {
      fit.store.read('w').forEach((value, k) => {
        expect(value).toBeCloseTo(twin.w[k]!, 4);
      });
    };
    near();
    fit.store.write('w', Float32Array.of(1, 1));
    twin.w = [1, 1];
    near();
    fit.take(6, 4);
    twin.take(6, 4);
    near();
    // Through a checkpoint, and on with the same graph.
    const saved = fit.optimizer.state();
    fit.take(7, 4);
    const after = fit.store.read('w');
    fit.store.write('w', Float32Array.from(twin.w));
    fit.optimizer.restore(saved);
    fit.take(7, 4);
    fit.store.read('w').forEach((value, k) => {
      expect(value).toBeCloseTo(after[k]!, 4);
    });
    // What the graph is gone with is not lost.
    fit.step.dispose();
    fit.store.read('w').forEach((value, k) => {
      expect(value).toBeCloseTo(after[k]!, 4);
    });
    fit.dispose();
  });

  // The other engines run the function itself.
  it.runIf(engine === 'tensorflow')('keeps nothing over 2000 runs', () => {
    const fit = new Fit();
    for (let n = 0; n < 20; n++) fit.take(n, n % 2 === 0 ? 4 : 7);
    const tensors = memory().numTensors;
    const bytes = process.memoryUsage().rss;
    for (let n = 0; n < 2000; n++) fit.take(n, 4);
    expect(memory().numTensors).toBeLessThanOrEqual(tensors);
    // A kept tensor of 32 bytes with its bookkeeping a run would be about 2 MB; garbage not yet collected is allowed for.
    expect(process.memoryUsage().rss - bytes).toBeLessThan(64e6);
    fit.dispose();
  });
});

describeOnEngines('a step that cannot be repeated', () => {
  const run = (compute: (x: Tensor2D, w: Variable, n: number) => Scalar, times: number): void => {
    const w = createVariable([2, 1], Float32Array.of(1, 2));
    let n = 0;
    const step = new RepeatedStep<'x'>([w], ({ x }) => [compute(x as Tensor2D, w, n++)]);
    try {
      for (let k = 0; k < times; k++) {
        step.run({ x: { values: Float32Array.of(1, k), shape: [1, 2] } })[0]!.dispose();
      }
    } finally {
      step.dispose();
      w.dispose();
    }
  };

  it('says so when it reads a value back', () => {
    const compute = (x: Tensor2D, w: Variable): Scalar => {
      const product = matMul(x, w.value() as Tensor2D);
      return mul(mean(product), product.dataSync()[0]!) as Scalar;
    };
    expect(() => run(compute, 1)).toThrow('expected a step that reads no value back, got one that does');
  });

  it('says so when it uses other numbers each time', () => {
    const compute = (x: Tensor2D, w: Variable, n: number): Scalar =>
      mul(mean(matMul(x, w.value() as Tensor2D)), n) as Scalar;
    expect(() => run(compute, 3)).toThrow(/does the same each time, got another operation or other numbers/);
  });

  it('says so when it does other things each time', () => {
    const compute = (x: Tensor2D, w: Variable, n: number): Scalar => {
      const product = matMul(x, w.value() as Tensor2D);
      return mean(n % 2 === 0 ? product : mul(product, product)) as Scalar;
    };
    expect(() => run(compute, 3)).toThrow(/does the same each time, got \d+ and then \d+ operations/);
  });
}, ['tensorflow']);
