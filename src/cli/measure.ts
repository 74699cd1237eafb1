import { accuracyMetric, formatAccuracy } from '../metrics/accuracy.js';
import { type BleuSmoothing, bleuMetric, formatBleu } from '../metrics/bleu.js';
import type { BleuTokenizer } from '../metrics/bleu-tokenizer.js';
import { chrfMetric, formatChrf } from '../metrics/chrf.js';
import { errorRateMetric, formatErrorRate, formatG2p, g2pMetric } from '../metrics/error-rate.js';
import type { FormatOptions } from '../metrics/format.js';
import type { Metric, MetricScore, MetricStatistics } from '../metrics/metric.js';
import { formatTer, terMetric } from '../metrics/ter.js';
import type { MetricUnit } from '../metrics/units.js';

/** How metrics count; from the command line, which has these names for them. */
export interface MeasureOptions {
  readonly lowercase?: boolean;
  readonly tokenize?: BleuTokenizer;
  readonly smooth?: BleuSmoothing;
  readonly smoothValue?: number;
  readonly order?: number;
  readonly effectiveOrder?: boolean;
  readonly chrfCharOrder?: number;
  readonly chrfWordOrder?: number;
  readonly chrfBeta?: number;
  readonly chrfWhitespace?: boolean;
  readonly chrfEpsSmoothing?: boolean;
  readonly terCaseSensitive?: boolean;
  readonly terNormalized?: boolean;
  readonly terNoPunct?: boolean;
  readonly terAsianSupport?: boolean;
  readonly unit?: MetricUnit;
}

/** A metric with its settings and its line of text. */
export interface Gauge {
  readonly metric: Metric;
  /** All figures of summed statistics, for programs. */
  readonly report: (sum: MetricStatistics, signature: string) => MetricScore;
  /** The same in a line for people. */
  readonly line: (sum: MetricStatistics, signature: string, options: FormatOptions) => string;
  /** Whether an empty line among several references means none. */
  readonly emptyIsNone: boolean;
}

interface Measure {
  /** The options that change this figure; all others would be ignored. */
  readonly uses: readonly (keyof MeasureOptions)[];
  create(options: MeasureOptions): Gauge;
}

function gauge<Score extends MetricScore>(
  metric: Metric<Score>,
  format: (score: Score, options: FormatOptions) => string,
  emptyIsNone = false,
): Gauge {
  const { report } = metric;
  return {
    metric,
    report,
    line: (sum, signature, options) => format(report(sum, signature), options),
    emptyIsNone,
  };
}

function chrfGauge(options: MeasureOptions, wordOrder: number | undefined): Gauge {
  const metric = chrfMetric({
    characterOrder: options.chrfCharOrder,
    wordOrder,
    beta: options.chrfBeta,
    lowercase: options.lowercase,
    whitespace: options.chrfWhitespace,
    epsilonSmoothing: options.chrfEpsSmoothing,
  });
  return gauge(metric, formatChrf);
}

const OF_CHRF = ['lowercase', 'chrfCharOrder', 'chrfBeta', 'chrfWhitespace', 'chrfEpsSmoothing'] as const;

/** Every metric of the command line: one line here and its file in `src/metrics`. */
const MEASURES = {
  bleu: {
    uses: ['lowercase', 'tokenize', 'smooth', 'smoothValue', 'order', 'effectiveOrder'],
    create: ({ tokenize, smooth, smoothValue, lowercase, order, effectiveOrder }) =>
      gauge(
        bleuMetric({
          tokenizer: tokenize,
          smoothing: smooth,
          smoothingValue: smoothValue,
          lowercase,
          order,
          effectiveOrder,
        }),
        formatBleu,
      ),
  },
  chrf: {
    uses: [...OF_CHRF, 'chrfWordOrder'],
    create: (options) => chrfGauge(options, options.chrfWordOrder),
  },
  'chrf++': {
    uses: OF_CHRF,
    create: (options) => chrfGauge(options, 2),
  },
  ter: {
    uses: ['terCaseSensitive', 'terNormalized', 'terNoPunct', 'terAsianSupport'],
    create: ({ terCaseSensitive, terNormalized, terNoPunct, terAsianSupport }) =>
      gauge(
        terMetric({
          caseSensitive: terCaseSensitive,
          normalized: terNormalized,
          punctuation: !terNoPunct,
          asian: terAsianSupport,
        }),
        formatTer,
      ),
  },
  accuracy: {
    uses: ['lowercase', 'unit'],
    create: ({ lowercase, unit }) => gauge(accuracyMetric({ lowercase, unit }), formatAccuracy),
  },
  'error-rate': {
    uses: ['lowercase', 'unit'],
    create: ({ lowercase, unit }) => gauge(errorRateMetric({ lowercase, unit }), formatErrorRate),
  },
  g2p: {
    uses: [],
    create: () => gauge(g2pMetric(), formatG2p, true),
  },
} satisfies Record<string, Measure>;

export type MetricName = keyof typeof MEASURES;
export const METRIC_NAMES = Object.keys(MEASURES) as MetricName[];

/** Whether one of the named metrics heeds this option. */
export function heeds(names: readonly MetricName[], option: keyof MeasureOptions): boolean {
  return names.some((name) => (MEASURES[name] as Measure).uses.includes(option));
}

/** The named metrics with these settings, in the given order. */
export function gauges(names: readonly MetricName[], options: MeasureOptions): Gauge[] {
  return names.map((name) => (MEASURES[name] as Measure).create(options));
}
