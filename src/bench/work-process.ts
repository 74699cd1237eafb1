import { createInterface } from 'node:readline';
import { startEngine } from '../engine/engine.js';
import { messageOf, oneLine } from '../errors.js';
import { loadModelFolder } from '../model/folder.js';
import { EncodedCorpus } from '../text/encoded.js';
import type { WorkJob } from './own-process.js';
import type { Contender } from './speed-case.js';
import { decodingContender, unendingModel } from './speed-decoding.js';
import { benchmarkConfig } from './speed-model.js';
import { trainingContender } from './speed-training.js';
import { syntheticCodecs } from './synthetic-corpus.js';

// Our work in a process of its own, which speaks the lines of src/peers/serve.py: for products that this engine has, and the
// one of the process that asks has not.

async function contenderOf(job: WorkJob): Promise<Contender> {
  await startEngine('tensorflow');
  if (job.kind === 'decoding') {
    const { folder, sizes, seed, search, lines } = job;
    if (folder !== null) return decodingContender(await loadModelFolder(folder), lines, search);
    const codecs = codecsOf(sizes);
    return decodingContender({ ...codecs, model: unendingModel(codecs, seed) }, lines, search);
  }
  const { sizes, source, target, batch, batches, seed } = job;
  const corpus = new EncodedCorpus(sizes);
  for (const [i, ids] of source.entries()) corpus.push(ids, target[i]!);
  const data = { codecs: codecsOf(sizes), corpus };
  return trainingContender({ config: benchmarkConfig('whole-target'), data, batch, batches, seed });
}

function codecsOf(sizes: WorkJob['sizes']) {
  return {
    source: syntheticCodecs(sizes.source).source,
    target: syntheticCodecs(sizes.target).target,
  };
}

type Request = { readonly prepare: WorkJob } | { readonly run: number } | { readonly memory: true };

let contender: Contender | null = null;

async function answer(request: Request): Promise<object> {
  if ('prepare' in request) {
    contender = await contenderOf(request.prepare);
    return { ready: { amount: contender.amount } };
  }
  if (contender === null) throw new Error('nothing is prepared');
  return 'run' in request ? { ms: await contender.run(request.run) } : { mib: await contender.memory() };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply: object;
  try {
    reply = await answer(JSON.parse(line) as Request);
  } catch (error) {
    reply = { error: oneLine(messageOf(error)) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
