import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPeers, type PeerProgram, type PeerPrograms, peerEntry } from '../../src/bench/peer.js';
import { translatorOf } from '../../src/bench/speed-decoding.js';
import { benchmarkModel, generatedText, sizesOf } from '../../src/bench/speed-model.js';
import { syntheticCodecs, syntheticCorpus } from '../../src/bench/synthetic-corpus.js';
import { resolveConfig } from '../../src/config.js';
import { startEngine } from '../../src/engine/engine.js';
import { copyWeights, writeTensors } from '../../src/model/weights-file.js';
import { Random } from '../../src/random.js';

// The programs of src/peers themselves; where the Python (DRAGOMAN_PYTHON, python3 by default) has no PyTorch, they
// are skipped and the benchmark would run without them.

const PYTHON = process.env.DRAGOMAN_PYTHON ?? 'python3';
const found = findPeers(PYTHON);
if (typeof found === 'string') console.log(`skipped: programs in PyTorch: ${found}`);

const config = resolveConfig({
  ...generatedText(),
  model: { embedding: 12, encoder: { hidden: 10 }, decoder: { hidden: 14 }, output: 11 },
});
const codecs = syntheticCodecs(50);
const corpus = syntheticCorpus(new Random(5), 12, codecs);
const ids = (side: 'source' | 'target'): number[][] =>
  Array.from({ length: corpus.length }, (_, i) => Array.from(corpus[side](i)));
const shape = sizesOf(config, codecs);
const folder = mkdtempSync(join(tmpdir(), 'dragoman-peers-'));
const weights = join(folder, 'weights.safetensors');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(typeof found === 'string')('programs in PyTorch', () => {
  const peers = found as PeerPrograms;
  const model = { current: null as ReturnType<typeof benchmarkModel> | null };
  beforeAll(async () => {
    await startEngine();
    model.current = benchmarkModel(config, codecs, 7);
    await writeTensors(weights, copyWeights(model.current.parameters), {});
  });

  const training = {
    ...{ batch: 2, batches: 2, labelSmoothing: 0.1, clip: 1, shape },
    ...{ source: ids('source'), target: ids('target') },
  };
  const jobs: [PeerProgram, string, object][] = [
    ['product', 'highest', { shape: [4, 5, 6], precision: 'highest' }],
    ['layer', 'lstm', { shape: [3, 2, 4, 5], cell: 'lstm' }],
    ['layer', 'gru', { shape: [3, 2, 4, 5], cell: 'gru' }],
    ['addition', '', { bits: 4, batch: 3, units: 5, layers: 2 }],
    ['adam', '', { shapes: [[3, 4], [5]] }],
    ['training', 'stock', { ...training, variant: 'stock' }],
    ['training', 'tuned', { ...training, variant: 'tuned' }],
    [
      'training',
      'per step',
      { ...training, variant: 'stock', shape: { ...shape, attention: 'additive', inputFeeding: true } },
    ],
    [
      'decoding',
      'beam',
      { shape, weights, source: ids('source'), beam: 3, batch: 8, maxRatio: 1, precision: 'medium' },
    ],
  ];
  it.each(jobs)('%s %s runs', async (program, _, job) => {
    const [entry] = peerEntry(peers, program, 'PyTorch', { threads: 1, seed: 1, ...job });
    const peer = await entry!.open();
    expect(peer.amount).toBeGreaterThan(0);
    expect(await peer.run(2)).toBeGreaterThan(0);
    expect(await peer.memory()).toBeGreaterThan(10);
    await peer.dispose();
  });

  it('the decoder finds the translations that we find', async () => {
    const translator = translatorOf(codecs, model.current!);
    const lines = ids('source').map((line) => codecs.source.decode(line));
    const job = JSON.stringify({ shape, source: ids('source') });
    const script = `
import json, sys, torch, decoding
torch.set_num_threads(1)
from nmt import Translator, load_weights
job = json.loads(sys.argv[1])
model = Translator(job['shape']).eval()
load_weights(model, sys.argv[2])
found = {}
with torch.inference_mode():
    for width, search in ((1, decoding.greedy), (3, decoding.beam_search)):
        found[width] = [search(model, [source], 1, width)[0] for source in job['source']]
print(json.dumps(found))`;
    const peersFolder = fileURLToPath(new URL('../../src/peers', import.meta.url));
    const output = execFileSync(PYTHON, ['-c', script, job, weights], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: peersFolder, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
    });
    const theirs = JSON.parse(output) as Record<string, number[][]>;
    for (const beam of [1, 3]) {
      const ours = await translator.translate(lines, { beam, maxRatio: 1 });
      expect(theirs[beam]!.map((found) => codecs.target.decode(found))).toEqual(ours.map(({ text }) => text));
    }
    translator.dispose();
  });
});
