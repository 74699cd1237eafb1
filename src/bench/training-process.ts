import { createInterface } from 'node:readline';
import { startEngine } from '../engine/engine.js';
import { messageOf, oneLine } from '../errors.js';
import { EncodedCorpus } from '../text/encoded.js';
import type { Contender } from './speed-case.js';
import { benchmarkConfig } from './speed-model.js';
import { type TrainingJob, trainingContender } from './speed-training.js';
import { syntheticCodecs } from './synthetic-corpus.js';

// Training steps in a process of its own, which speaks the lines of src/peers/serve.py: for products that this engine has,
// and the one of the process that asks has not.

async function contenderOf({ sizes, source, target, batch, batches, seed }: TrainingJob): Promise<Contender> {
  await startEngine('tensorflow');
  const corpus = new EncodedCorpus(sizes);
  for (const [i, ids] of source.entries()) corpus.push(ids, target[i]!);
  const codecs = {
    source: syntheticCodecs(sizes.source).source,
    target: syntheticCodecs(sizes.target).target,
  };
  return trainingContender({
    config: benchmarkConfig('whole-target'),
    data: { codecs, corpus },
    batch,
    batches,
    seed,
  });
}

type Request = { readonly prepare: TrainingJob } | { readonly run: number } | { readonly memory: true };

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
