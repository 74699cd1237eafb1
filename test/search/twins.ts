import type { ResolvedSearchOptions } from '../../src/search/options.js';

/** The model as a twin sees it: a function from a source and a prefix to log-probabilities. */
export interface PlainModel {
  readonly targetSize: number;
  logProbabilities(sourceWithEos: ArrayLike<number>, prefix: readonly number[]): number[];
  attention(sourceWithEos: ArrayLike<number>, prefix: readonly number[]): number[];
}

export interface PlainHypothesis {
  tokens: number[];
  score: number;
  rank: number;
  limited: boolean;
}

const BOS = 2;
const EOS = 3;

function limitOf(o: ResolvedSearchOptions, sourceTokens: number): number {
  return Math.max(o.minLength, Math.min(o.maxLength, Math.ceil(o.maxRatio * sourceTokens) + 10));
}

function candidates(o: ResolvedSearchOptions, size: number, length: number, limit: number): number[] {
  if (length === limit) return [EOS];
  return Array.from({ length: size }, (_, v) => v).filter(
    (v) => v !== 0 && v !== BOS && !(v === 1 && o.forbidUnknown) && !(v === EOS && length < o.minLength),
  );
}

/** Wu et al. 2016, eq. 14, from the tokens alone. */
export function rankOf(
  model: PlainModel,
  source: number[],
  tokens: number[],
  score: number,
  o: ResolvedSearchOptions,
) {
  let rank = score / ((5 + tokens.length + 1) / 6) ** o.lengthPenalty;
  if (o.coveragePenalty > 0) {
    for (let i = 0; i < source.length; i++) {
      let sum = 0;
      for (let j = 0; j <= tokens.length; j++) {
        sum += model.attention([...source, EOS], [BOS, ...tokens.slice(0, j)])[i]!;
      }
      rank += o.coveragePenalty * Math.log(Math.max(1e-6, Math.min(1, sum)));
    }
  }
  return rank;
}

/** Every target there is, best first: what a perfect search finds. */
export function exhaustive(model: PlainModel, source: number[], o: ResolvedSearchOptions): PlainHypothesis[] {
  const limit = limitOf(o, source.length);
  const all: PlainHypothesis[] = [];
  const visit = (tokens: number[], score: number): void => {
    const logP = model.logProbabilities([...source, EOS], [BOS, ...tokens]);
    for (const v of candidates(o, model.targetSize, tokens.length, limit)) {
      const total = score + logP[v]!;
      if (v !== EOS) visit([...tokens, v], total);
      else
        all.push({
          tokens,
          score: total,
          rank: rankOf(model, source, tokens, total, o),
          limited: tokens.length === limit,
        });
    }
  };
  visit([], 0);
  return all.sort((a, b) => b.rank - a.rank);
}

/** Beam search for one sentence, as the rules in beam.ts say it, with arrays of prefixes and a full sort. */
export function slowBeam(model: PlainModel, source: number[], o: ResolvedSearchOptions): PlainHypothesis[] {
  const limit = limitOf(o, source.length);
  const lp = (n: number) => ((5 + n) / 6) ** o.lengthPenalty;
  let live: { tokens: number[]; score: number }[] = [{ tokens: [], score: 0 }];
  const finished: PlainHypothesis[] = [];
  for (let length = 0; live.length > 0; length++) {
    const pool = live.flatMap(({ tokens, score }) => {
      const logP = model.logProbabilities([...source, EOS], [BOS, ...tokens]);
      return candidates(o, model.targetSize, length, limit).map((v) => ({
        tokens,
        v,
        score: score + logP[v]!,
      }));
    });
    if (length < limit) pool.sort((a, b) => b.score - a.score);
    const next: typeof live = [];
    pool.forEach(({ tokens, v, score }, place) => {
      if (v !== EOS) {
        if (next.length < o.beam) next.push({ tokens: [...tokens, v], score });
      } else if (next.length < o.beam && (place < o.beam || length === limit)) {
        finished.push({
          tokens,
          score,
          rank: rankOf(model, source, tokens, score, o),
          limited: length === limit,
        });
      }
    });
    finished.sort((a, b) => b.rank - a.rank);
    live = next;
    if (live.length === 0) break;
    if (o.stop === 'count' && finished.length >= o.beam) break;
    const nth = finished[o.nbest - 1];
    if (nth !== undefined && nth.rank >= live[0]!.score / lp(limit + 1)) break;
  }
  return finished.slice(0, o.nbest);
}

/** The best token each time. */
export function slowGreedy(model: PlainModel, source: number[], o: ResolvedSearchOptions): PlainHypothesis {
  const limit = limitOf(o, source.length);
  const tokens: number[] = [];
  for (let score = 0; ; ) {
    const logP = model.logProbabilities([...source, EOS], [BOS, ...tokens]);
    const best = candidates(o, model.targetSize, tokens.length, limit).reduce((a, b) =>
      logP[b]! > logP[a]! ? b : a,
    );
    score += logP[best]!;
    if (best === EOS)
      return {
        tokens,
        score,
        rank: rankOf(model, source, tokens, score, o),
        limited: tokens.length === limit,
      };
    tokens.push(best);
  }
}
