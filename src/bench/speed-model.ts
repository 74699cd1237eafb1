import { type Config, type ConfigInput, resolveConfig } from '../config.js';
import { Seq2Seq } from '../model/seq2seq.js';
import { Random } from '../random.js';
import type { Codecs } from '../text/codec.js';
import type { ModelSizes } from './flops.js';

/** How the decoder goes: over the whole target at once, or step by step because its output is fed back. */
export type Path = 'whole-target' | 'per-step';

/**
 * The model whose speed is measured: 11.6 million parameters with 8000 entries a side. Embeddings 256, bidirectional LSTM
 * of 256 a direction, LSTM decoder of 512; general attention, or additive with input feeding. These are the defaults.
 */
export function benchmarkConfig(path: Path): Config {
  return resolveConfig({
    ...generatedText(),
    model: path === 'per-step' ? { attention: 'additive', inputFeeding: true } : { attention: 'general' },
    train: { labelSmoothing: 0.1, clip: 1 },
  });
}

/** Data and text of a configuration whose sentences do not come from files. */
export function generatedText(): Pick<ConfigInput, 'data' | 'text'> {
  const corpus = { source: 'generated', target: 'generated' };
  const side = { kind: 'word' } as const;
  return { data: { train: corpus, validation: corpus }, text: { source: side, target: side } };
}

export function benchmarkModel(config: Config, { source, target }: Codecs, seed: number): Seq2Seq {
  const sizes = { source: source.vocabulary.size, target: target.vocabulary.size };
  return new Seq2Seq(config.model, sizes, new Random(seed));
}

/** Whether a model differs from the benchmark's in sizes alone: flops.ts and src/peers/nmt.py know no other form. */
export function hasBenchmarkForm({ model }: Config): boolean {
  const { cell, encoder, decoder, attention, context, summary, inputFeeding, reverseSource } = model;
  const cells = [encoder.cell ?? cell, decoder.cell ?? cell];
  return (
    cells.every(({ kind }) => kind === 'lstm') &&
    encoder.bidirectional &&
    encoder.layers === 1 &&
    decoder.layers === 1 &&
    attention.kind === 'general' &&
    context === 'initial' &&
    summary === 'last' &&
    !inputFeeding &&
    !reverseSource
  );
}

/** Its sizes, for the formulas and for the programs beside us. */
export function sizesOf({ model }: Config, codecs: Codecs): ModelSizes & PeerShape {
  return {
    embedding: model.embedding,
    hidden: model.encoder.hidden,
    decoder: model.decoder.hidden,
    output: model.output ?? model.decoder.hidden,
    sourceSize: codecs.source.vocabulary.size,
    targetSize: codecs.target.vocabulary.size,
    attention: model.attention.kind === 'additive' ? 'additive' : 'general',
    inputFeeding: model.inputFeeding,
    dropout: model.dropout.output,
  };
}

/** What src/peers/nmt.py wants besides. */
interface PeerShape {
  readonly sourceSize: number;
  readonly dropout: number;
}
