import { type EngineName, startEngine } from '../engine/engine.js';
import { DragomanError } from '../errors.js';
import { loadLanguageModelFolder } from '../model/language-model-folder.js';
import type { TextCodec } from '../text/codec.js';
import { type PairScore, scoredStream } from './scored-stream.js';
import type { ScoringModel } from './scorer.js';

/** A language model and its codec, where they do not come from a folder. */
export interface TextScorerParts {
  readonly text: TextCodec;
  readonly model: ScoringModel;
  /** Frees the model. */
  dispose(): void;
}

const NO_SOURCE = new Int32Array(0);

/**
 * Says how probable text is under a language model.
 *
 *     const scorer = await TextScorer.load('models/lm-de');
 *     const [first] = await scorer.score(['Ein Haus.']);
 *     console.log(first.score);
 *     scorer.dispose();
 */
export class TextScorer {
  readonly #parts: TextScorerParts;
  #disposed = false;

  constructor(parts: TextScorerParts) {
    this.#parts = parts;
  }

  /** Loads a language model's folder. Throws `usage` for a translation model's, `engine` without that engine. */
  static async load(folder: string, options: { readonly engine?: EngineName } = {}): Promise<TextScorer> {
    await startEngine(options.engine);
    const { text, model } = await loadLanguageModelFolder(folder);
    return new TextScorer({ text, model, dispose: () => model.dispose() });
  }

  get text(): TextCodec {
    return this.#parts.text;
  }

  /** ln P of each line, end of sentence included, in their order. Nothing is cut; a line may be empty. */
  async score(lines: readonly string[]): Promise<PairScore[]> {
    const scores: PairScore[] = [];
    for await (const score of this.scoreStream(lines)) scores.push(score);
    return scores;
  }

  /** The same for a stream of lines. */
  scoreStream(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<PairScore> {
    const { text, model } = this.#parts;
    return scoredStream(model, text, lines, (line) => {
      if (this.#disposed) throw new DragomanError('usage', 'the scorer was used after dispose()');
      return { source: NO_SOURCE, target: text.encode(line) };
    });
  }

  /** Frees the model. The scorer cannot be used afterwards. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.dispose();
  }
}
