import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeInstallation } from '../../src/engine/choose.js';
import { lastWords, type Run, run } from '../../src/engine/command.js';
import { KERNELS_ADDON, kernelsPlace } from '../../src/engine/compiled-kernels.js';
import { npmEnvironment } from '../../src/engine/environment.js';
import { installNative, lastReport } from '../../src/engine/install.js';
import { vendorAddress } from '../../src/engine/routes.js';
import { addonIn, nativeFolder } from '../../src/engine/tensorflow.js';
import type { Workshop } from '../../src/engine/workshop.js';

let folder: string;
let cache: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
  cache = join(folder, 'cache');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Commands that a machine may have; each gets its arguments and working folder. */
type Commands = Record<string, (args: readonly string[], cwd: string) => string>;

/** Writes the files that a Python package of TensorFlow has. */
function makePackage(root: string): void {
  mkdirSync(join(root, 'include', 'tensorflow', 'c'), { recursive: true });
  writeFileSync(join(root, 'include', 'tensorflow', 'c', 'c_api.h'), '');
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    writeFileSync(join(root, name), name);
}

/** A compiler that writes an "addon" where it is told. */
const compiler: Commands = {
  'g++': (args, cwd) => {
    const out = args.indexOf('-o');
    if (out >= 0) writeFileSync(join(cwd, args[out + 1]!.replace(cwd, '')), 'addon');
    return '';
  },
};

/** An installed TensorFlow in Python. */
function installedPython(): Commands {
  const root = join(folder, 'site-packages', 'tensorflow');
  makePackage(root);
  return { python3: () => `${root}\n2.20.0\n` };
}

/** A machine with these commands, behind a wall, whose native engines load. */
function machine(commands: Commands, changes: Partial<Workshop> = {}): Workshop & { log: string[] } {
  const log: string[] = [];
  const fake: Run = async (command, args, { cwd }) => {
    const name = /npm-cli/.test(args[0] ?? '') ? 'npm' : command;
    log.push(`${name} ${args.slice(0, 3).join(' ')}`);
    if (name === 'tar') {
      for (const part of ['dist/proto', 'binding']) mkdirSync(join(cwd!, part), { recursive: true });
      return '';
    }
    const found = commands[name];
    if (!found) throw new Error(`${name} was not found`);
    return found(args, cwd ?? '');
  };
  return {
    cache,
    platform: 'linux',
    arch: 'x64',
    env: {},
    run: fake,
    find: () => (addonIn(nativeFolder(cache)) ? nativeFolder(cache) : null),
    reach: (url) => Promise.reject(new Error(`${new URL(url).host}: getaddrinfo ENOTFOUND`)),
    probe: async (native) => {
      if (!addonIn(native)) throw new Error('no addon');
      if (!existsSync(join(native, 'deps', 'lib', 'libtensorflow_cc.so.2'))) throw new Error('no library');
      return '2.20.0';
    },
    nodeHeaders: '/headers',
    say: (line) => log.push(line),
    log,
    ...changes,
  };
}

const failures = (report: { attempts: readonly { route: string; failure: string | null }[] }) =>
  Object.fromEntries(report.attempts.map(({ route, failure }) => [route, failure]));

describe('the installation of the native engine', () => {
  it('ends without one where nothing can be had, with a reason for each route', async () => {
    const report = await installNative(machine({}));
    expect(report.tensorflow).toBeNull();
    expect(failures(report)).toEqual({
      present: 'not yet installed',
      cache: expect.stringContaining('needs a C++ compiler'),
      vendor: 'storage.googleapis.com: getaddrinfo ENOTFOUND',
      python: expect.stringContaining('needs a C++ compiler'),
      pip: expect.stringContaining('needs a C++ compiler'),
    });
    expect(lastReport(cache)).toEqual(report);
    expect(readdirSync(cache)).toEqual(['install.json']);
    expect(describeInstallation(report)).toMatch(/^engine wasm, .*doctor/);
    expect(describeInstallation(report)).not.toContain('\n');
  });

  it('says what pip said', async () => {
    const python3 = (args: readonly string[]): string => {
      if (args.includes('download'))
        throw new Error('python3 ended with status 1: ERROR: No matching distribution found');
      if (args.includes('--version')) return 'pip 24';
      throw new Error('python3 ended with status 1: no module named tensorflow');
    };
    const report = await installNative(machine({ ...compiler, python3 }));
    expect(failures(report)).toMatchObject({
      cache: 'none in the cache',
      python: expect.stringContaining('no module named tensorflow'),
      pip: expect.stringContaining('No matching distribution'),
    });
    expect(readdirSync(cache)).toEqual(['install.json']);
  });

  it('does not take an npm package other than the published one', async () => {
    const npm = (_: readonly string[], cwd: string): string => {
      writeFileSync(join(cwd, 'tensorflow-tfjs-node-4.22.0.tgz'), 'something else');
      return '';
    };
    const report = await installNative(machine({ ...compiler, ...installedPython(), npm }));
    expect(failures(report).python).toMatch(/not the one expected/);
    expect(report.tensorflow).toBeNull();
    // The library is kept for the next try.
    expect(readdirSync(cache).sort()).toEqual(['install.json', 'tensorflow-2.20.0-linux-x64']);
  });

  it('refuses a Python package without the C library', async () => {
    const root = join(folder, 'old');
    mkdirSync(root);
    const python3 = () => `${root}\n2.4.0\n`;
    const report = await installNative(machine({ ...compiler, python3 }));
    expect(failures(report).python).toMatch(/TensorFlow 2.4.0 of Python has no libtensorflow_cc.so.2/);
  });

  it('does not try on Windows what cannot work there', async () => {
    const report = await installNative(machine({ ...compiler }, { platform: 'win32' }));
    expect(failures(report).pip).toBe('not for win32: no C library in Python packages');
  });

  it("lets tfjs-node install itself where the vendor's server answers, and keeps the result", async () => {
    let project = '';
    const npm = (args: readonly string[], cwd: string): string => {
      expect(args).toContain('@tensorflow/tfjs-node@4.22.0');
      project = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
      const installed = join(cwd, 'node_modules', '@tensorflow', 'tfjs-node');
      for (const part of ['dist/proto', 'lib/napi-v8', 'deps/lib'])
        mkdirSync(join(installed, part), { recursive: true });
      writeFileSync(join(installed, 'lib', 'napi-v8', 'tfjs_binding.node'), 'addon');
      writeFileSync(join(installed, 'deps', 'lib', 'libtensorflow_cc.so.2'), 'library');
      return '';
    };
    const report = await installNative(machine({ npm }, { reach: async () => {} }));
    expect(report.tensorflow).toBe('2.20.0');
    expect(failures(report)).toMatchObject({ vendor: null });
    expect(project).toEqual({ private: true, allowScripts: { '@tensorflow/tfjs-node': true } });
    const native = nativeFolder(cache);
    expect(addonIn(native)).toBe(join(native, 'lib', 'napi-v8', 'tfjs_binding.node'));
    expect(existsSync(join(native, 'node_modules', '@tensorflow', 'tfjs', 'index.js'))).toBe(true);
    expect(readdirSync(cache).sort()).toEqual(['install.json', native.slice(cache.length + 1)].sort());
    expect(describeInstallation(report)).toMatch(
      /^engine tensorflow \(TensorFlow 2.20.0, tfjs-node's own install/,
    );
  });

  it('leaves a native engine alone that works', async () => {
    const native = nativeFolder(cache);
    mkdirSync(join(native, 'lib', 'napi'), { recursive: true });
    mkdirSync(join(native, 'deps', 'lib'), { recursive: true });
    writeFileSync(join(native, 'lib', 'napi', 'tfjs_binding.node'), '');
    writeFileSync(join(native, 'deps', 'lib', 'libtensorflow_cc.so.2'), '');
    mkdirSync(kernelsPlace(native));
    writeFileSync(join(kernelsPlace(native), KERNELS_ADDON), '');
    const before = statSync(native).mtimeMs;
    const shop = machine({});
    const report = await installNative(shop);
    expect(report).toMatchObject({ tensorflow: '2.20.0', attempts: [{ route: 'present', failure: null }] });
    expect(statSync(native).mtimeMs).toBe(before);
    expect(shop.log).toEqual([]);
  });

  describe('with compiled kernels', () => {
    beforeEach(() => {
      const native = nativeFolder(cache);
      mkdirSync(join(native, 'lib', 'napi'), { recursive: true });
      mkdirSync(join(native, 'deps', 'lib'), { recursive: true });
      writeFileSync(join(native, 'lib', 'napi', 'tfjs_binding.node'), '');
      writeFileSync(join(native, 'deps', 'lib', 'libtensorflow_cc.so.2'), '');
    });

    it('adds them to an engine that is there', async () => {
      const native = nativeFolder(cache);
      const shop = machine(compiler);
      const report = await installNative(shop);
      expect(report).toMatchObject({ tensorflow: '2.20.0', kernels: null });
      // One look whether the compiler runs, four sources, one for five kinds of processor and one for four, one link.
      expect(shop.log.length).toBe(15);
      expect(readdirSync(kernelsPlace(native))).toEqual([KERNELS_ADDON]);
      expect(readdirSync(cache).sort()).toEqual(['install.json', native.slice(cache.length + 1)].sort());
    });

    it('compiles for one kind of processor where there is no choice', async () => {
      const shop = machine(compiler, { arch: 'arm64' });
      await installNative(shop);
      expect(shop.log.length).toBe(8);
    });

    it('leaves out products of bfloat16 numbers and of bytes where the compiler does not know them', async () => {
      let linked: readonly string[] = [];
      const older: Commands = {
        'g++': (args, cwd) => {
          const unknown = args.find((arg) => arg.startsWith('-mamx'));
          if (unknown !== undefined) throw new Error(`unrecognized command-line option '${unknown}'`);
          if (args.includes('-shared')) linked = args;
          return compiler['g++']!(args, cwd);
        },
      };
      const native = nativeFolder(cache);
      const report = await installNative(machine(older));
      expect(report).toMatchObject({ tensorflow: '2.20.0', kernels: null });
      expect(linked.filter((arg) => arg.endsWith('.o') && !arg.includes('/'))).toEqual([
        'team.o',
        'choice.o',
        'operations.o',
        'addon.o',
        'baseline.o',
        'avx2.o',
        'avx512.o',
        'int8_baseline.o',
        'int8_avx2.o',
      ]);
      expect(readdirSync(kernelsPlace(native))).toEqual([KERNELS_ADDON]);
    });

    it('does without them, and says why, where there is no compiler', async () => {
      const report = await installNative(machine({}));
      expect(report).toMatchObject({
        tensorflow: '2.20.0',
        kernels: expect.stringMatching(/C\+\+ compiler/),
      });
      expect(lastReport(cache)).toEqual(report);
    });

    it('does without them, and leaves nothing, where they do not compile or do not run', async () => {
      const broken: Commands = {
        'g++': (args) => {
          if (args.includes('--version')) return '';
          throw new Error('g++ ended with status 1: error: expected unqualified-id');
        },
      };
      const native = nativeFolder(cache);
      expect((await installNative(machine(broken))).kernels).toMatch(/expected unqualified-id/);
      let probes = 0;
      const probe = async (): Promise<string> => {
        if (++probes > 1) throw new Error('ended with SIGILL');
        return '2.20.0';
      };
      const report = await installNative(machine(compiler, { probe }));
      expect(report).toMatchObject({ tensorflow: '2.20.0', kernels: 'ended with SIGILL' });
      expect(existsSync(kernelsPlace(native))).toBe(false);
      expect(readdirSync(cache).sort()).toEqual(['install.json', native.slice(cache.length + 1)].sort());
    });
  });

  it('goes on when the native engine that is there does not load', async () => {
    mkdirSync(join(nativeFolder(cache), 'lib', 'napi'), { recursive: true });
    writeFileSync(join(nativeFolder(cache), 'lib', 'napi', 'tfjs_binding.node'), '');
    const report = await installNative(machine({}));
    expect(failures(report)).toMatchObject({ present: 'no library', cache: expect.any(String) });
  });
});

describe("the vendor's address", () => {
  const base = { env: {}, platform: 'linux', arch: 'x64' };

  it('is that of the script, and follows its variables', () => {
    const file = 'libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz';
    expect(vendorAddress(base)).toBe(`https://storage.googleapis.com/tensorflow/libtensorflow/${file}`);
    expect(vendorAddress({ ...base, env: { TFJS_NODE_CDN_STORAGE: 'http://mirror/' } })).toBe(
      `http://mirror/tensorflow/libtensorflow/${file}`,
    );
    expect(vendorAddress({ ...base, arch: 'arm64' })).toBe('https://storage.googleapis.com/');
  });
});

describe('commands', () => {
  const node = (code: string, limit = 30) => run(process.execPath, ['-e', code], { limit });

  it('give their output', async () => {
    expect(await node('console.log(1 + 1); console.error(3)')).toBe('2\n');
  });

  it('fail with their own last words', async () => {
    await expect(node('console.error("Error: it broke\\n\\n  at x"); process.exit(3)')).rejects.toThrow(
      /ended with status 3: Error: it broke/,
    );
    await expect(run('no-such-command-here', [], { limit: 5 })).rejects.toThrow(
      'no-such-command-here was not found',
    );
    expect(lastWords('fatal error: x.h: No such file\nmake: stopped\n')).toBe(
      'fatal error: x.h: No such file',
    );
    expect(lastWords('')).toBe('no message');
  });

  it('are ended, with what they started, when they take too long', async () => {
    const file = join(folder, 'alive');
    const grandchild = `setTimeout(() => require('fs').writeFileSync(${JSON.stringify(file)}, ''), 2500)`;
    const child = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}]); setInterval(() => {}, 1000)`;
    await expect(node(child, 1)).rejects.toThrow(/took more than 1 seconds/);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(existsSync(file)).toBe(false);
  });

  it('of npm get the settings of the npm that runs us, but not its task', () => {
    const env = npmEnvironment({
      PATH: '/bin',
      npm_config_registry: 'r',
      npm_config_https_proxy: 'p',
      npm_config_global: 'true',
      npm_config_ignore_scripts: 'true',
      npm_package_name: 'x',
      npm_lifecycle_event: 'postinstall',
      INIT_CWD: '/home',
    });
    expect(env).toEqual({ PATH: '/bin', npm_config_registry: 'r', npm_config_https_proxy: 'p' });
  });
});

it('names no version of tfjs-core but the one installed', () => {
  const core = JSON.parse(readFileSync('node_modules/@tensorflow/tfjs-core/package.json', 'utf8')) as {
    version: string;
  };
  expect(nativeFolder('')).toContain(`tfjs-node-${core.version}-`);
});
