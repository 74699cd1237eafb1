// A process that trains, for tests that kill it: `train-child.ts CONFIG FOLDER ENGINE [resume]`. It prints each step,
// and `ended REASON STEP`.
import { dirname } from 'node:path';
import { loadConfig } from '../../src/config.js';
import { parseEngineName } from '../../src/engine/engine.js';
import { train } from '../../src/train/train.js';

const [configFile, folder, engine, resume] = process.argv.slice(2);
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
const result = await train(await loadConfig(configFile!), {
  folder: folder!,
  configFolder: dirname(configFile!),
  engine: parseEngineName(engine!, 'engine'),
  resume: resume === 'resume',
  signal: controller.signal,
  onProgress: ({ step }) => process.stdout.write(`step ${step}\n`),
  onMessage: (message) => process.stderr.write(`${message}\n`),
  onValidation: ({ perplexity, bleu }) => process.stderr.write(`perplexity ${perplexity}, BLEU ${bleu}\n`),
});
process.stdout.write(`ended ${result.stopped} ${result.step}\n`);
