/** Where training stands after a step. Figures of the loss are one step old, so that reading them does not wait. */
export interface Progress {
  readonly step: number;
  /** The epoch this step belongs to, from 1. */
  readonly epoch: number;
  /** Steps done in this epoch, and how many it has. */
  readonly epochStep: number;
  readonly epochSteps: number;
  /** Mean training loss per target token in nats, label smoothing included, over the last steps. */
  readonly loss: number;
  /** exp of the mean negative log-likelihood per target token (no smoothing), with dropout, over the last steps. */
  readonly perplexity: number;
  readonly learningRate: number;
  /** Global norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Target tokens (end of sentence counted) a second, over the last steps. */
  readonly tokensPerSecond: number;
  /** Training time so far in seconds, earlier sessions of a resumed run included. */
  readonly seconds: number;
  /** Estimate until the first limit is reached; null before there is one. */
  readonly secondsLeft: number | null;
  /** 0 to 1: the part of the work that is done, by the limit that comes first. */
  readonly fraction: number;
}

/** A sentence of the validation set with what the model makes of it. */
export interface TranslatedSentence {
  readonly source: string;
  readonly reference: string;
  readonly translation: string;
}

/** The result of one validation. */
export interface ValidationReport {
  /** `validation`: of the weights of this step. `final`: of the average that the model folder was left with. */
  readonly event: 'validation' | 'final';
  readonly step: number;
  readonly epoch: number;
  /** exp(-log-likelihood / target tokens), end of sentence counted. */
  readonly perplexity: number;
  /** Share of target tokens that are the model's first choice, given the reference before them; 0 to 1. */
  readonly accuracy: number;
  /** BLEU, 0 to 100, of greedy translations of a sample; null when that is off. */
  readonly bleu: number | null;
  /** Whether this is the lowest perplexity so far. */
  readonly best: boolean;
  readonly learningRate: number;
  readonly seconds: number;
  /** A few of the sample's sentences. */
  readonly examples: readonly TranslatedSentence[];
}

/** What training tells its caller, who may draw it. The library itself prints nothing. */
export interface TrainingEvents {
  onProgress?(progress: Progress): void;
  onValidation?(report: ValidationReport): void;
  /** A line for the user: what was read, dropped, saved or stopped, and why. */
  onMessage?(message: string): void;
}
