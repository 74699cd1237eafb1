/**
 * Ranking of finished hypotheses (Wu et al. 2016, "Google's Neural Machine Translation System", eq. 14):
 *
 *     s(Y, X) = log P(Y|X) / lp(Y) + cp(X; Y)
 *     lp(Y)   = ((5 + |Y|) / (5 + 1))^alpha
 *     cp(X;Y) = beta * sum_i log(min(sum_j p_ij, 1))
 *
 * |Y| counts EOS, as log P(Y|X) does. i runs over the source tokens without EOS, j over the steps of Y with its
 * EOS. Departure from the paper: an attention sum is not let below {@link COVERAGE_FLOOR}, because the attention
 * of a token can be exactly 0 in float32 and one such token would make all hypotheses equal at -infinity.
 */
export const COVERAGE_FLOOR = 1e-6;

export interface Penalties {
  /** alpha */
  readonly lengthPenalty: number;
  /** beta */
  readonly coveragePenalty: number;
}

/** s(Y, X). `length` counts EOS; `sums` holds the attention sum of each source token, needed where beta > 0. */
export function rankScore(score: number, length: number, sums: ArrayLike<number>, p: Penalties): number {
  const coverage = p.coveragePenalty === 0 ? 0 : p.coveragePenalty * coveragePenalty(sums);
  return score / lengthPenalty(length, p.lengthPenalty) + coverage;
}

/** Whether hypotheses are ranked by something other than their log-probability. */
export function hasPenalty(p: Penalties): boolean {
  return p.lengthPenalty !== 0 || p.coveragePenalty !== 0;
}

/** lp(Y); `length` counts EOS. */
export function lengthPenalty(length: number, alpha: number): number {
  return alpha === 0 ? 1 : ((5 + length) / 6) ** alpha;
}

/** cp(X; Y) / beta, at most 0; `sums` holds the attention sum of each source token, EOS left out. */
export function coveragePenalty(sums: ArrayLike<number>): number {
  let penalty = 0;
  for (let i = 0; i < sums.length; i++) {
    penalty += Math.log(Math.max(COVERAGE_FLOOR, Math.min(sums[i]!, 1)));
  }
  return penalty;
}

/**
 * No continuation of a live hypothesis can rank above this. log P only falls, lp(Y) grows with |Y| and log P is
 * negative, so the best case is the present log P at the greatest length; cp is at most 0.
 */
export function bestPossible(logProbability: number, longest: number, alpha: number): number {
  return logProbability / lengthPenalty(longest, alpha);
}
