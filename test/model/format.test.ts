import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/config.js';
import { type ConfigInput, resolveConfig } from '../../src/config.js';
import { startEngine } from '../../src/engine/engine.js';
import { encodeSafetensors } from '../../src/model/safetensors.js';
import { Seq2Seq } from '../../src/model/seq2seq.js';
import { copyWeights } from '../../src/model/weights-file.js';
import { Random } from '../../src/random.js';
import { collate } from '../../src/text/batch.js';
import { EncodedCorpus } from '../../src/text/encoded.js';
import { CELLS } from '../cells.js';

const python = process.env.DRAGOMAN_PYTHON ?? 'python3';
const hasNumpy = ((): boolean => {
  try {
    execFileSync(python, ['-c', 'import numpy, safetensors.numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const page = readFileSync(new URL('../../docs/model-format.md', import.meta.url), 'utf8');

type ModelInput = NonNullable<ConfigInput['model']>;
const file = { source: 'x', target: 'y' };
const resolve = (model: ModelInput): ModelConfig =>
  resolveConfig({
    data: { train: file, validation: file },
    text: { source: { kind: 'word' }, target: { kind: 'word' }, joint: true },
    model: { embedding: 6, encoder: { hidden: 4 }, decoder: { hidden: 8 }, output: 6, ...model },
  }).model;

// Each axis of the model at least once, and some of them together.
const models: Readonly<Record<string, ModelInput>> = {
  default: {},
  'elman, dot': { cell: 'elman', attention: 'dot' },
  'gru, additive, two layers': {
    cell: 'gru',
    attention: 'additive',
    encoder: { hidden: 4, layers: 2 },
    decoder: { hidden: 8, layers: 2 },
  },
  'lstm, no attention, mean, every step': { attention: 'none', summary: 'mean', context: 'every-step' },
  'no attention, c only at first': { attention: 'none', summary: 'max' },
  'one direction, reversed, tanh': {
    encoder: { hidden: 5, bidirectional: false, layers: 2 },
    reverseSource: true,
    summary: 'tanh',
  },
  'input feeding, every step, tied': {
    inputFeeding: true,
    context: 'every-step',
    tieTargetEmbedding: true,
    tieSourceEmbedding: true,
    decoder: { hidden: 8, layers: 2 },
  },
};

// Every cell; what the table of parameters says of them, in short, is checked by computing with it.
const cells: Readonly<Record<string, ModelInput>> = {
  ...Object.fromEntries(CELLS.map(([name, cell]) => [name, { cell }])),
  'two cells': { encoder: { hidden: 4, cell: 'jordan' }, decoder: { hidden: 8, cell: 'hopfield' } },
  'hopfield attention': { attention: 'hopfield' },
  'hopfield attention, three steps': { attention: { kind: 'hopfield', steps: 3, beta: 0.8 } },
};

const sentences: readonly (readonly [source: number[], target: number[]])[] = [
  [
    [4, 5, 6, 7, 8],
    [9, 10, 4],
  ],
  [[4], [5, 6, 7, 8, 9, 10, 11, 12]],
  [[12, 1, 5], []],
];

beforeAll(async () => {
  await startEngine('cpu');
});

describe('docs/model-format.md', () => {
  it('names every parameter of every model, and no other', () => {
    const rows = page.slice(page.search(/\| name +\| shape/), page.indexOf('## Equations')).split('\n');
    const table = rows.map((row) => row.split('|')[1]).join('\n');
    const documented = [...table.matchAll(/`((?:[a-z]+\.)[A-Za-z.]+)`/g)].map(([, name]) => name!);
    const written = new Set<string>();
    for (const model of Object.values(models)) {
      const { parameters } = new Seq2Seq(resolve(model), { source: 13, target: 13 }, new Random(1));
      for (const { name } of parameters.specs) written.add(name.replace(/\.\d+/, '.N'));
      parameters.dispose();
    }
    // `.recurrent` and `.bias` of a cell are written short.
    const short = (name: string): string =>
      name.replace(/^((en|de)coder\.N(\.\w+ward)?)\.(recurrent|bias)$/, '$1.kernel');
    expect(new Set(documented)).toEqual(new Set([...written].map(short)));
  });
});

describe.skipIf(!hasNumpy)(
  'the Python of docs/model-format.md (skipped where numpy or safetensors is missing)',
  () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'dragoman-format-'));
      const [forward] = [...page.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code]) => code);
      const main = `
import json, sys
from safetensors.numpy import load_file
job = json.load(open(sys.argv[1]))
w = {name: tensor.astype(np.float64) for name, tensor in load_file(sys.argv[2]).items()}
print(json.dumps([token_scores(job['model'], w, *pair) for pair in job['sentences']]))
`;
      writeFileSync(join(folder, 'forward.py'), `${forward}\n${main}`);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(Object.entries({ ...models, ...cells }))('gives the scores of the model: %s', (_, input) => {
      const config = resolve(input);
      const model = new Seq2Seq(config, { source: 13, target: 13 }, new Random(3));
      // Biases start at zero and would hide a mistake.
      const random = new Random(4);
      for (const { name } of model.parameters.specs) {
        model.parameters.write(
          name,
          model.parameters.read(name).map((value) => value + 0.3 * random.normal()),
        );
      }
      const corpus = new EncodedCorpus({ source: 13, target: 13 });
      for (const [source, target] of sentences) corpus.push(source, target);
      const ours = model.score(collate(corpus, Int32Array.from(sentences.keys())));

      const [job, weights] = [join(folder, 'job.json'), join(folder, 'weights.safetensors')];
      writeFileSync(job, JSON.stringify({ model: config, sentences }));
      writeFileSync(weights, encodeSafetensors(copyWeights(model.parameters)));
      model.dispose();
      const output = execFileSync(python, [join(folder, 'forward.py'), job, weights], { encoding: 'utf8' });
      const theirs = JSON.parse(output) as number[][];
      theirs.forEach((scores, row) => {
        expect(ours[row]).toHaveLength(scores.length);
        scores.forEach((score, t) => {
          expect(Math.abs(ours[row]![t]! - score)).toBeLessThan(1e-4);
        });
      });
    });
  },
);
