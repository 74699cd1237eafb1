import { type ConfigInput, configSchema, type ModelConfig } from '../../src/config/translation.js';
import { Seq2Seq } from '../../src/model/seq2seq.js';
import { Random } from '../../src/random.js';
import { type Batch, padIds } from '../../src/text/batch.js';
import { BOS, EOS } from '../../src/text/vocabulary.js';

export type ModelInput = NonNullable<ConfigInput['model']>;

export const SIZES = { source: 9, target: 8 };

/** A small model's configuration with some settings changed. */
export function modelConfig(changes: ModelInput): ModelConfig {
  const side = { kind: 'word' } as const;
  const corpus = { source: 'a', target: 'b' };
  return configSchema.parse({
    data: { train: corpus, validation: corpus },
    text: { source: side, target: side, joint: changes.tieSourceEmbedding ?? false },
    model: {
      embedding: 4,
      encoder: { hidden: 3 },
      decoder: { hidden: 6 },
      dropout: { embedding: 0, layers: 0, output: 0 },
      ...changes,
    },
  }).model;
}

export function batchOf(source: number[][], target: number[][]): Batch {
  const padded = padIds(target);
  return {
    indices: Int32Array.from(source, (_, k) => k),
    source: padIds(source),
    target: padded,
    targetTokens: padded.lengths.reduce((a, b) => a + b, 0),
  };
}

/** A model with weights larger than their start, so that no term of a gradient is too small to be seen. */
export function modelOf(changes: ModelInput): Seq2Seq {
  const sizes = changes.tieSourceEmbedding ? { source: SIZES.target, target: SIZES.target } : SIZES;
  const model = new Seq2Seq(modelConfig(changes), sizes, new Random(3));
  const random = new Random(5);
  for (const { name } of model.parameters.specs) {
    model.parameters.write(
      name,
      model.parameters.read(name).map(() => random.normal() * 0.4),
    );
  }
  return model;
}

/** Words of one row, EOS and padding removed. */
export function words({ ids, lengths, time }: Batch['source'], row: number): number[] {
  return Array.from(ids.subarray(row * time, row * time + lengths[row]! - 1));
}

/** The slow twin of scoring: one decoder step after the other, one sentence alone. */
export function stepScores(model: Seq2Seq, source: number[], target: number[]): number[] {
  let state = model.start(padIds([source]));
  let previous = BOS;
  const scores: number[] = [];
  for (const token of [...target, EOS]) {
    const step = model.step(state, Int32Array.of(previous));
    const logits = Array.from(step.logits.dataSync());
    const most = Math.max(...logits);
    const normalizer = most + Math.log(logits.reduce((s, z) => s + Math.exp(z - most), 0));
    scores.push(logits[token]! - normalizer);
    step.logits.dispose();
    step.attention?.dispose();
    state = step.state;
    previous = token;
  }
  model.release(state);
  return scores;
}
