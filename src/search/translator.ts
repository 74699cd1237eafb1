import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { DragomanError } from '../errors.js';
import { padIds } from '../text/batch.js';
import type { TextCodec } from '../text/codec.js';
import type { Hypothesis } from './hypothesis.js';
import { type LoadOptions, loadModels, type TranslatorParts } from './load-models.js';
import { windows } from './look-ahead.js';
import { type ResolvedSearchOptions, resolveSearchOptions, type SearchOptions } from './options.js';
import { hasPenalty } from './penalty.js';
import { PATIENCE, type PairScore, scoredStream } from './scored-stream.js';
import { search } from './search.js';

/** Options of {@link Translator.translate}: those of the search, and how its work is cut up. */
export interface TranslateOptions extends SearchOptions {
  /** Sentences translated at once. Changes speed and memory, never the output. */
  readonly batchSize?: number;
  /** Lines of a stream read ahead, to translate those of similar length together. */
  readonly lookAhead?: number;
}

/** One hypothesis as text. */
export interface TranslatedHypothesis {
  readonly text: string;
  /** ln P(text's tokens | source); with a language model plus λ times its ln P of them. */
  readonly score: number;
  /** What it was ranked by, when a length or coverage penalty is on; else null. */
  readonly normalised: number | null;
  readonly tokens: readonly string[];
  /** ln P of each token, EOS last: one more than `tokens`. */
  readonly tokenScores: Float32Array;
  /** `[source token, target token]` from 0, in target order; null unless asked for. */
  readonly alignment: readonly (readonly [number, number])[] | null;
  /** The length limit ended it, not the model. */
  readonly limited: boolean;
}

/** What became of one input line. */
export interface Translation {
  /** Number of the line, from 0. */
  readonly id: number;
  readonly source: string;
  /** The best hypothesis, or the first sample. */
  readonly text: string;
  /** At least one: best first, or samples in the order they were drawn. */
  readonly hypotheses: readonly TranslatedHypothesis[];
}

/** A pair of sentences to score. */
export interface TextPair {
  readonly source: string;
  readonly target: string;
}

const DEFAULT_BATCH_SIZE = 32;
const DEFAULT_LOOK_AHEAD = 1024;
/** Source positions of a batch: keeps very long lines from filling the memory together. */
const POSITIONS_PER_BATCH = 8192;
/** A target of characters is so much longer than a source of words or subwords, at most. */
const CHARACTERS_PER_TOKEN = 12;

const work = z.strictObject({
  batchSize: z.int().positive().default(DEFAULT_BATCH_SIZE),
  lookAhead: z.int().positive().default(DEFAULT_LOOK_AHEAD),
});

/**
 * Translates and scores text with one model, or with several that decide together.
 *
 *     const translator = await Translator.load('models/de');
 *     const [first] = await translator.translate(['A house.'], { beam: 5 });
 *     console.log(first.text);
 *     translator.dispose();
 */
export class Translator {
  readonly #parts: TranslatorParts;
  #disposed = false;

  constructor(parts: TranslatorParts) {
    this.#parts = parts;
  }

  /**
   * Loads a model folder, or several of the same tokenizers and vocabularies as an ensemble.
   * Throws `usage` when their vocabularies differ, `engine` when the engine is not there.
   */
  static async load(folders: string | readonly string[], options: LoadOptions = {}): Promise<Translator> {
    return new Translator(await loadModels(folders, options));
  }

  get source(): TextCodec {
    return this.#parts.source;
  }

  get target(): TextCodec {
    return this.#parts.target;
  }

  /**
   * Translates lines; result i belongs to line i. A line without tokens (empty, or only white space) is not given
   * to the model: its translation is the empty text. No line is too long.
   */
  async translate(lines: readonly string[], options: TranslateOptions = {}): Promise<Translation[]> {
    const translations: Translation[] = [];
    const lookAhead = Math.max(1, lines.length);
    for await (const translation of this.translateStream(lines, { lookAhead, ...options })) {
      translations.push(translation);
    }
    return translations;
  }

  /** The same for a stream: translations come in the order of the lines, while later lines are still read. */
  async *translateStream(
    lines: AsyncIterable<string> | Iterable<string>,
    options: TranslateOptions = {},
  ): AsyncGenerator<Translation> {
    const { batchSize, lookAhead, ...rest } = options;
    const cut = parseWork({ batchSize, lookAhead });
    const searchOptions = resolveSearchOptions(this.#withLengthRatio(rest));
    let first = 0;
    for await (const window of windows(lines, { size: cut.lookAhead, patience: PATIENCE })) {
      yield* await this.#translateWindow(window, first, searchOptions, cut.batchSize);
      first += window.length;
    }
  }

  /** ln P(target | source) of each pair, in their order. Nothing is cut; either side may be empty. */
  async score(pairs: readonly TextPair[]): Promise<PairScore[]> {
    const scores: PairScore[] = [];
    for await (const score of this.scoreStream(pairs)) scores.push(score);
    return scores;
  }

  /** The same for a stream of pairs. */
  async *scoreStream(pairs: AsyncIterable<TextPair> | Iterable<TextPair>): AsyncGenerator<PairScore> {
    const { source, target, model } = this.#parts;
    yield* scoredStream(model, target, pairs, (pair) => {
      this.#requireLive();
      return { source: source.encode(pair.source), target: target.encode(pair.target) };
    });
  }

  /** Frees the models. The translator cannot be used afterwards. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.dispose();
  }

  async #translateWindow(
    lines: readonly string[],
    first: number,
    options: ResolvedSearchOptions,
    batchSize: number,
  ): Promise<Translation[]> {
    const sources = lines.map((line) => this.#parts.source.encode(line.trim() === '' ? '' : line));
    const empty: Hypothesis = { ...EMPTY, normalised: hasPenalty(options) ? 0 : null };
    const found: (readonly Hypothesis[])[] = sources.map(() => [empty]);
    for (const batch of cutBatches(sources, batchSize)) {
      this.#requireLive();
      const rows = padIds(batch.map((i) => sources[i]!));
      const results = search(
        this.#parts.model,
        rows,
        options,
        batch.map((i) => first + i),
      );
      results.forEach((hypotheses, row) => {
        found[batch[row]!] = hypotheses;
      });
      await nextTurn(); // timers, input and signals of the process have their turn
    }
    return lines.map((source, i) => {
      const hypotheses = found[i]!.map((hypothesis) => this.#textOf(hypothesis, options));
      return { id: first + i, source, text: hypotheses[0]!.text, hypotheses };
    });
  }

  #textOf(hypothesis: Hypothesis, options: ResolvedSearchOptions): TranslatedHypothesis {
    const { target } = this.#parts;
    const { tokens, score, normalised, tokenScores, limited } = hypothesis;
    const sources = hypothesis.alignment ?? [];
    const alignment = Array.from(sources, (source, t) => [source, t] as const).filter(
      ([source]) => source >= 0,
    );
    return {
      text: target.decode(tokens),
      score,
      normalised,
      tokens: target.tokens(tokens),
      tokenScores,
      alignment: options.alignment ? alignment : null,
      limited,
    };
  }

  /** The default length limit counts in source tokens; a target split much finer needs more. */
  #withLengthRatio(options: SearchOptions): SearchOptions {
    const { source, target } = this.#parts;
    const finer = target.tokenizer.kind === 'character' && source.tokenizer.kind !== 'character';
    return finer && options.maxRatio === undefined ? { ...options, maxRatio: CHARACTERS_PER_TOKEN } : options;
  }

  #requireLive(): void {
    if (this.#disposed) throw new DragomanError('usage', 'the translator was used after dispose()');
  }
}

/** The translation of a line without tokens; nothing was asked of the model. */
const EMPTY: Hypothesis = {
  tokens: new Int32Array(0),
  score: 0,
  tokenScores: new Float32Array(0),
  normalised: null,
  alignment: null,
  limited: false,
};

/** Positions of the sources that have tokens, longest first so that memory peaks at once, cut into batches. */
function cutBatches(sources: readonly Int32Array[], size: number): number[][] {
  const order = [...sources.keys()].filter((i) => sources[i]!.length > 0);
  order.sort((a, b) => sources[b]!.length - sources[a]!.length || a - b);
  const batches: number[][] = [];
  for (let start = 0; start < order.length; ) {
    const longest = sources[order[start]!]!.length + 1;
    const end = start + Math.max(1, Math.min(size, Math.floor(POSITIONS_PER_BATCH / longest)));
    batches.push(order.slice(start, end));
    start = end;
  }
  return batches;
}

function parseWork(options: { batchSize?: number; lookAhead?: number }): z.output<typeof work> {
  const parsed = work.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new DragomanError('usage', `${issue.path.join('.')}: ${issue.message}`);
}
