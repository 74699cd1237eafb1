import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { ENGINE_NAMES, type EngineName, startEngine, whyAbsent } from '../src/engine/engine.js';

/**
 * Why the tests leave an engine out; null where they run on it. `DRAGOMAN_ENGINE=wasm` (or `cpu`) leaves out
 * the better ones, so that a run of the suite shows what a machine without them would.
 */
export function whySkipped(engine: EngineName): string | null {
  const wanted = process.env.DRAGOMAN_ENGINE;
  const best = (ENGINE_NAMES as readonly (string | undefined)[]).indexOf(wanted);
  if (ENGINE_NAMES.indexOf(engine) < best) return `DRAGOMAN_ENGINE=${wanted}`;
  return whyAbsent(engine);
}

/** The engines that tests can run on here, best first. */
export function presentEngines(): EngineName[] {
  return ENGINE_NAMES.filter((engine) => whySkipped(engine) === null);
}

/**
 * `describe`, once for each engine: those present are started before the tests of `suite`; for the others one
 * skipped test says why. Pass `engines` to leave slow ones out.
 */
export function describeOnEngines(
  name: string,
  suite: (engine: EngineName) => void,
  engines: readonly EngineName[] = ENGINE_NAMES,
): void {
  for (const engine of engines) {
    const reason = whySkipped(engine);
    describe(`${name} on ${engine}`, () => {
      if (reason !== null) {
        console.warn(`skipped: ${name} on ${engine}: ${reason}`);
        it.skip(`not run: ${reason}`, () => {});
        return;
      }
      beforeAll(async () => {
        await startEngine(engine);
      });
      suite(engine);
    });
  }
}

/**
 * The same, and on the engines that have compiled kernels once more without them: for what is computed in one way with them
 * and in another by the engine's own operations. `asUsual` tells the two apart.
 */
export function describeOnKernels(
  name: string,
  suite: (engine: EngineName, asUsual: boolean) => void,
  engines: readonly EngineName[] = ENGINE_NAMES,
): void {
  describeOnEngines(name, (engine) => suite(engine, true), engines);
  const switchedOff = (engine: EngineName): void => {
    beforeAll(() => void vi.stubEnv('DRAGOMAN_KERNELS', 'operations'));
    afterAll(() => void vi.unstubAllEnvs());
    suite(engine, false);
  };
  const withKernels = engines.filter((engine) => engine !== 'cpu');
  describeOnEngines(`${name}, without compiled kernels,`, switchedOff, withKernels);
}
