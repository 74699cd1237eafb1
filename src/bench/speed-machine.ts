import { availableParallelism, totalmem } from 'node:os';
import type { EngineInfo } from '../engine/engine.js';
import { processor } from '../engine/hardware.js';
import { VERSION } from '../version.js';
import type { PeerPrograms } from './peer.js';

/** Where and with what a benchmark ran. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly vectorExtensions: readonly string[] | null;
  readonly memoryGiB: number;
  readonly node: string;
  readonly dragoman: string;
  readonly engine: string;
  readonly threads: number;
  /** What our matrix products are computed in. */
  readonly products: string;
  /** The programs beside us; null where there were none. */
  readonly peers: string | null;
}

export function machineOf(engine: EngineInfo, peers: PeerPrograms | null): Machine {
  return {
    processor: processor(),
    cores: availableParallelism(),
    vectorExtensions: engine.vectorExtensions,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    dragoman: VERSION,
    engine: `${engine.name} (${engine.version})`,
    threads: engine.threads,
    products: engine.products,
    peers: peers?.version ?? null,
  };
}

/** The machine in one sentence. */
export function describeMachine(machine: Machine): string {
  const { processor, cores, vectorExtensions, node, dragoman, engine, threads, products, peers } = machine;
  const extensions = vectorExtensions === null ? '' : `, ${vectorExtensions.join(', ')}`;
  const beside = peers === null ? 'nothing beside it' : `beside ${peers}`;
  return (
    `${processor}, ${cores} cores${extensions}; dragoman ${dragoman}, engine ${engine}, ` +
    `${threads} threads, products in ${products}, Node ${node}; ${beside}`
  );
}
