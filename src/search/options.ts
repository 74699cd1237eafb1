import { z } from 'zod';
import { DragomanError } from '../errors.js';

/** Added to `maxRatio * source length`, so that very short sources have room. */
const MAX_LENGTH_OFFSET = 10;

const sampling = z.strictObject({
  /** Logits are divided by this: below 1 sharper, above 1 flatter, 1 the model's own distribution. */
  temperature: z.number().positive().default(1),
  /** Only the k most probable tokens; all if absent. */
  topK: z.int().positive().optional(),
  /** Only the smallest set of tokens that holds this much probability (Holtzman et al. 2020); 1 is off. */
  topP: z.number().positive().max(1).default(1),
  /** Line i draws from a generator of (seed, i, sample), so batching and neighbours change nothing. */
  seed: z.int().default(1),
});

const schema = z
  .strictObject({
    /** Hypotheses kept at each step; 1 is greedy. 5 is where more brings little (Wu et al. 2016). Not less than `nbest`. */
    beam: z.int().positive().optional(),
    /** Hypotheses returned per sentence: the best ones of the beam, or so many samples. */
    nbest: z.int().positive().default(1),
    /**
     * alpha of Wu et al. 2016, eq. 14; 0 is off. 1 nearly ranks by the mean log-probability of a token, which
     * keeps a beam from preferring short output; models this small need that more than large ones do.
     */
    lengthPenalty: z.number().min(0).optional(),
    /** beta of Wu et al. 2016, eq. 14: pays for source tokens that got no attention. Needs attention. */
    coveragePenalty: z.number().min(0).optional(),
    /** Fewest target tokens, EOS not counted. */
    minLength: z.int().min(0).default(0),
    /** Most target tokens, EOS not counted. Then EOS is forced, and the hypothesis says so (`limited`). */
    maxLength: z.int().positive().optional(),
    /** The length is also limited to `maxRatio * source tokens + 10`. */
    maxRatio: z.number().positive().default(2),
    /** Never produce UNK. Off: an output token that the model cannot name stays visible as the unknown token. */
    forbidUnknown: z.boolean().default(false),
    /**
     * When beam search leaves a sentence: `count`, as soon as `beam` hypotheses are finished; `bound`, only when
     * no live hypothesis can come among the `nbest` any more. Both also stop at once when that is proved.
     */
    stop: z.enum(['count', 'bound']).optional(),
    /** Draw from the model instead of searching for the best; samples keep the order they were drawn in. */
    sample: sampling.optional(),
    /** Also give, for each target token, the source token with the most attention. Needs attention. */
    alignment: z.boolean().default(false),
  })
  .superRefine((options, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (options.maxLength !== undefined && options.maxLength < options.minLength) {
      issue('maxLength', `expected at least minLength (${options.minLength}), got ${options.maxLength}`);
    }
    if (options.sample === undefined) return;
    for (const name of ['beam', 'lengthPenalty', 'coveragePenalty', 'stop'] as const) {
      if (options[name] !== undefined) issue(name, 'has no meaning for samples, which are drawn, not ranked');
    }
  });

/** Search options as a user gives them; everything has a default. */
export type SearchOptions = z.input<typeof schema>;
export type SamplingOptions = z.output<typeof sampling>;

/** Search options with every default filled in. */
export interface ResolvedSearchOptions {
  readonly beam: number;
  readonly nbest: number;
  readonly lengthPenalty: number;
  readonly coveragePenalty: number;
  readonly minLength: number;
  readonly maxLength: number;
  readonly maxRatio: number;
  readonly forbidUnknown: boolean;
  readonly stop: 'count' | 'bound';
  readonly sample: SamplingOptions | null;
  readonly alignment: boolean;
}

export const DEFAULT_BEAM = 5;
export const DEFAULT_LENGTH_PENALTY = 1;

/** Checks the options and fills in the defaults. Throws `usage` naming the option. */
export function resolveSearchOptions(options: SearchOptions = {}): ResolvedSearchOptions {
  const parsed = schema.safeParse(options);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const path = issue.path.join('.');
    throw new DragomanError('usage', path === '' ? issue.message : `${path}: ${issue.message}`);
  }
  const { beam, lengthPenalty, coveragePenalty, maxLength, stop, sample, ...rest } = parsed.data;
  return {
    ...rest,
    // An n-best list cannot be longer than the beam: asking for the list widens the beam.
    beam: sample ? 1 : Math.max(beam ?? DEFAULT_BEAM, rest.nbest),
    lengthPenalty: sample ? 0 : (lengthPenalty ?? DEFAULT_LENGTH_PENALTY),
    coveragePenalty: coveragePenalty ?? 0,
    maxLength: maxLength ?? Number.POSITIVE_INFINITY,
    stop: stop ?? 'count',
    sample: sample ?? null,
  };
}

/** Most target tokens (EOS not counted) for a source of `sourceLength` tokens (EOS not counted). */
export function lengthLimit(options: ResolvedSearchOptions, sourceLength: number): number {
  const byRatio = Math.ceil(options.maxRatio * sourceLength) + MAX_LENGTH_OFFSET;
  return Math.max(options.minLength, Math.min(options.maxLength, byRatio));
}
