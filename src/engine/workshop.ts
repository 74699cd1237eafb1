import type { Run } from './command.js';

/** Everything outside that the installer uses, so that tests can stand in for it. */
export interface Workshop {
  readonly cache: string;
  readonly platform: string;
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run: Run;
  /** The folder of a native engine that looks complete, or null. */
  readonly find: () => string | null;
  /** Fails with the reason when nothing answers at the address within a few seconds. */
  readonly reach: (url: string) => Promise<void>;
  /** Loads a native engine in a process of its own and gives the version of its TensorFlow; fails if it cannot. */
  readonly probe: (folder: string) => Promise<string>;
  /** Folder of the header files of Node's addon interface. */
  readonly nodeHeaders: string;
  /** Tells the user of a step that takes long. */
  readonly say: (line: string) => void;
}
