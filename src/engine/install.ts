import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { messageOf, oneLine } from '../errors.js';
import { cacheFolder, publish, sweep, withLock, writeWhole } from './cache.js';
import { run } from './command.js';
import { compileKernels } from './compile-kernels.js';
import { ROUTE_NAMES, ROUTES } from './routes.js';
import { findNative, nativeFolder } from './tensorflow.js';
import type { Workshop } from './workshop.js';

const attempt = z.object({
  route: z.enum(ROUTE_NAMES),
  /** Why it did not lead to a native engine; null for the one that did. */
  failure: z.string().nullable(),
});

const report = z.object({
  /** When, in ISO 8601. */
  at: z.string(),
  node: z.string(),
  /** Version of the TensorFlow library that the native engine uses; null where there is none. */
  tensorflow: z.string().nullable(),
  attempts: z.array(attempt),
  /** Why there are no compiled kernels with it; null where there are, and where there is no native engine. */
  kernels: z.string().nullable().default(null),
});

/** What the last installation tried, in order, and what came of it. */
export type InstallReport = z.infer<typeof report>;

const REPORT_FILE = 'install.json';

/** The report of the last installation of this user; null before the first. */
export function lastReport(cache = cacheFolder()): InstallReport | null {
  try {
    return report.parse(JSON.parse(readFileSync(join(cache, REPORT_FILE), 'utf8')));
  } catch {
    return null;
  }
}

/** Milliseconds that a server has to answer at all before its route is given up. */
const REACH_LIMIT = 5_000;

async function reach(url: string): Promise<void> {
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(REACH_LIMIT) });
    if (!response.ok) throw new Error(`answers with status ${response.status}`);
  } catch (error) {
    const cause = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    throw new Error(`${new URL(url).host}: ${cause}`);
  }
}

/** The workshop that this machine is. */
export function thisMachine(say: (line: string) => void): Workshop {
  const probe = fileURLToPath(new URL('./probe.js', import.meta.url));
  const headers = createRequire(import.meta.url).resolve('node-api-headers');
  return {
    cache: cacheFolder(),
    platform: process.platform,
    arch: process.arch,
    env: process.env,
    run,
    find: findNative,
    reach,
    probe: async (folder) => (await run(process.execPath, [probe, folder], { limit: 180 })).trim(),
    nodeHeaders: join(dirname(headers), 'include'),
    say,
  };
}

/** Compiles the kernels for an engine; why there are none, or null. */
async function whyNoKernels(shop: Workshop, engine: string): Promise<string | null> {
  try {
    await compileKernels(shop, engine);
    return null;
  } catch (error) {
    return oneLine(messageOf(error));
  }
}

/**
 * Tries the routes to a native engine until one gives an engine that computes, and keeps it in the cache. Several
 * installations at once wait for each other; one that is interrupted leaves nothing half-done.
 * @throws DragomanError or a system error only where the cache itself cannot be written
 */
export function installNative(shop: Workshop): Promise<InstallReport> {
  const work = async (): Promise<InstallReport> => {
    sweep(shop.cache);
    const attempts: InstallReport['attempts'] = [];
    let tensorflow: string | null = null;
    let kernels: string | null = null;
    for (const route of ROUTE_NAMES) {
      try {
        const folder = await ROUTES[route].attempt(shop);
        tensorflow = await shop.probe(folder);
        const place = route === 'present' ? folder : nativeFolder(shop.cache);
        if (place !== folder) publish(shop.cache, folder, place);
        attempts.push({ route, failure: null });
        kernels = await whyNoKernels(shop, place);
        break;
      } catch (error) {
        attempts.push({ route, failure: oneLine(messageOf(error)) });
      }
    }
    sweep(shop.cache);
    const result = {
      at: new Date().toISOString(),
      node: process.versions.node,
      tensorflow,
      attempts,
      kernels,
    };
    // A later look finds the engine there: what the first installation did to get it is worth more.
    const last = lastReport(shop.cache);
    const keep = attempts.length === 1 && tensorflow !== null && last?.tensorflow === tensorflow;
    const kept = keep ? { ...last, kernels } : result;
    writeWhole(join(shop.cache, REPORT_FILE), `${JSON.stringify(kept, null, 2)}\n`);
    return result;
  };
  return withLock(shop.cache, work, { onWait: () => shop.say('waiting for another installation to end') });
}
