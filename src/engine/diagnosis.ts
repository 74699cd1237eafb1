import { messageOf } from '../errors.js';
import { VERSION } from '../version.js';
import { cacheFolder } from './cache.js';
import {
  type EngineInfo,
  EngineUnusable,
  engineFromEnvironment,
  nativeIsDisabled,
  startEngine,
} from './engine.js';
import { processor, vectorExtensions } from './hardware.js';
import { type InstallReport, lastReport } from './install.js';
import { ROUTES } from './routes.js';
import { findNative } from './tensorflow.js';

/** All that is known about the engine here: what `dragoman doctor` shows. */
export interface Diagnosis {
  readonly dragoman: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  /** Null where the operating system does not tell. */
  readonly vectorExtensions: readonly string[] | null;
  /** The engine that was started; null if the one asked for cannot be. */
  readonly engine: EngineInfo | null;
  /** Why no engine started. */
  readonly failure: string | null;
  readonly cache: string;
  /** Folder of the native engine, if there is one. */
  readonly native: string | null;
  /** What the last installation tried; null if there was none. */
  readonly installation:
    | (Omit<InstallReport, 'attempts'> & {
        readonly attempts: readonly (InstallReport['attempts'][number] & { readonly title: string })[];
      })
    | null;
  /** What the user can do about it. */
  readonly advice: readonly string[];
}

const TESTED = ['linux-x64'];

/** Advice for the reasons that people can do something about. */
const REMEDIES: readonly (readonly [reason: RegExp, remedy: string])[] = [
  [/needs a C\+\+ compiler/, 'install a C++ compiler (Debian, Ubuntu: apt install g++)'],
  [
    /python3? was not found/,
    'install Python 3 with pip (Debian, Ubuntu: apt install python3-pip); only to fetch the library',
  ],
  [
    /No module named pip/i,
    'install pip (Debian, Ubuntu: apt install python3-pip); only to fetch the library',
  ],
  [/npm(\.cmd)? was not found/, 'put npm on the PATH'],
  [/ENOSPC|no space left/i, 'free 1.5 GB of disk in the cache folder, or name another with DRAGOMAN_CACHE'],
  [/EACCES|EROFS|permission denied/i, 'name a cache folder that you may write to with DRAGOMAN_CACHE'],
  [
    /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|timeout|No matching distribution|Could not find a version/i,
    'let this machine reach a Python package index (pip) or storage.googleapis.com, or copy the cache folder from a machine of the same kind',
  ],
];

function remediesFor(failures: readonly string[]): string[] {
  return REMEDIES.filter(([reason]) => failures.some((f) => reason.test(f))).map(([, remedy]) => remedy);
}

/** @param failure why the kernels were not compiled; null if they were */
function kernelAdvice(failure: string | null): string[] {
  if (failure === null) return [];
  return [
    ...remediesFor([failure]),
    'then run "dragoman doctor --install", which compiles the faster kernels',
  ];
}

function adviceFor(engine: EngineInfo | null, installation: InstallReport | null): string[] {
  if (engine?.name === 'tensorflow') return kernelAdvice(installation?.kernels ?? null);
  if (nativeIsDisabled()) return ['unset DRAGOMAN_SKIP_NATIVE to use the native engine'];
  const native = findNative();
  if (native) {
    const chosen = engineFromEnvironment();
    if (chosen && engine) return [`${chosen} was asked for; the native engine is there: --engine tensorflow`];
    return [`the native engine does not load: remove ${native} and run "dragoman doctor --install"`];
  }
  const advice: string[] = [];
  if (!installation) advice.push('run "dragoman doctor --install" to get the native engine');
  else {
    const failures = installation.attempts.flatMap(({ failure }) => failure ?? []);
    advice.push(...remediesFor(failures));
    advice.push('then run "dragoman doctor --install", which tries all routes again');
  }
  const system = `${process.platform}-${process.arch}`;
  if (!TESTED.includes(system))
    advice.push(`the native engine has not been tested on ${system}; the others are portable`);
  return advice;
}

/** Starts the engine that would be used, and collects what there is to know about it. */
export async function diagnose(): Promise<Diagnosis> {
  let engine: EngineInfo | null = null;
  let failure: string | null = null;
  let isSetting = false;
  try {
    engine = await startEngine();
  } catch (error) {
    failure = messageOf(error);
    isSetting = !(error instanceof EngineUnusable);
  }
  const last = lastReport();
  return {
    dragoman: VERSION,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: processor(),
    vectorExtensions: vectorExtensions(),
    engine,
    failure,
    cache: cacheFolder(),
    native: findNative(),
    installation: last && {
      ...last,
      attempts: last.attempts.map((attempt) => ({ ...attempt, title: ROUTES[attempt.route].title })),
    },
    // A setting that is wrong says itself what it should be.
    advice: isSetting ? [] : adviceFor(engine, last),
  };
}
