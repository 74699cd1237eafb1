/** Where the series starts: the constant history x(t) = 1.2 for t <= 0, as in most work on it. */
const HISTORY = 1.2;

export interface MackeyGlassOptions {
  /** tau; the series is mildly chaotic at 17. */
  readonly delay?: number;
  /** Integration steps a unit of time; tau must be a whole number of steps. */
  readonly substeps?: number;
  /** Value before t = 0. */
  readonly history?: number;
}

/**
 * The Mackey-Glass series (Mackey & Glass 1977), one value a unit of time:
 *
 *     dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t)
 *
 * Fourth-order Runge-Kutta; the delayed value half a step on comes from the cubic through the four grid points
 * around it, so that the order is kept. (Jaeger & Haas 2004 take Euler steps of 0.1.)
 *
 * @param length values, the first of them x(0)
 */
export function mackeyGlass(length: number, options: MackeyGlassOptions = {}): Float64Array {
  const { delay = 17, substeps = 10, history = HISTORY } = options;
  const lag = Math.round(delay * substeps);
  const step = 1 / substeps;
  const x = new Float64Array((length - 1) * substeps + 1);
  x[0] = history;
  const at = (k: number): number => (k < 0 ? history : x[k]!);
  const slope = (now: number, past: number): number => (0.2 * past) / (1 + past ** 10) - 0.1 * now;
  for (let k = 0; k + 1 < x.length; k++) {
    const past = k - lag;
    const halfway = (9 * (at(past) + at(past + 1)) - at(past - 1) - at(past + 2)) / 16;
    const now = x[k]!;
    const a = slope(now, at(past));
    const b = slope(now + (step / 2) * a, halfway);
    const c = slope(now + (step / 2) * b, halfway);
    const d = slope(now + step * c, at(past + 1));
    x[k + 1] = now + (step / 6) * (a + 2 * b + 2 * c + d);
  }
  return Float64Array.from({ length }, (_, t) => x[t * substeps]!);
}
