import { stat } from 'node:fs/promises';
import { DragomanError } from '../errors.js';
import { nameOf, STDIN } from '../text/input.js';
import { refuse } from './arguments.js';
import type { EvaluationOptions } from './evaluation.js';
import { heeds, type MeasureOptions, type MetricName } from './measure.js';

/** The settings of the metrics among the options, if each changes one of the metrics. */
export function measureOptions(metrics: readonly MetricName[], options: MeasureOptions): MeasureOptions {
  const { lowercase, tokenize, smooth, smoothValue, order, effectiveOrder, unit } = options;
  const { chrfCharOrder, chrfWordOrder, chrfBeta, chrfWhitespace, chrfEpsSmoothing } = options;
  const { terCaseSensitive, terNormalized, terNoPunct, terAsianSupport } = options;
  const bleu = { tokenize, smooth, smoothValue, order, effectiveOrder };
  const chrf = { chrfCharOrder, chrfWordOrder, chrfBeta, chrfWhitespace, chrfEpsSmoothing };
  const ter = { terCaseSensitive, terNormalized, terNoPunct, terAsianSupport };
  const measuring: MeasureOptions = { lowercase, unit, ...bleu, ...chrf, ...ter };
  for (const [name, value] of Object.entries(measuring)) {
    if (!heeds(metrics, name as keyof MeasureOptions)) {
      refuse({ [name]: value }, 'changes none of these metrics');
    }
  }
  if (!terNormalized && !terNoPunct) refuse({ terAsianSupport }, 'needs --ter-normalized or --ter-no-punct');
  return measuring;
}

/** What of the command line says how to evaluate and print, besides the metrics' own settings. */
export interface EvaluationFlags {
  readonly sentenceLevel?: true;
  readonly byLength?: readonly number[];
  readonly plot?: string;
  readonly overwrite?: true;
  readonly confidence?: true;
  readonly pairedBs?: true;
  readonly pairedAr?: true;
  readonly resamples?: number;
  readonly resamplingSeed?: number;
  readonly emptyIsNone?: true;
  readonly width?: number;
  readonly short?: true;
  readonly scoreOnly?: true;
  readonly format: 'text' | 'json';
}

/** More decimals than a double has. */
const WIDEST = 20;

/**
 * The evaluation that the flags ask for.
 *
 * @throws DragomanError `usage` for flags that exclude each other or would do nothing.
 */
export function evaluationOptions(
  flags: EvaluationFlags,
  { systems, metrics }: { readonly systems: number; readonly metrics: number },
): EvaluationOptions {
  const { sentenceLevel, confidence, pairedBs, pairedAr, resamples, resamplingSeed, scoreOnly, width } =
    flags;
  if (sentenceLevel) {
    refuse({ confidence, pairedBs, pairedAr }, 'has no meaning with --sentence-level');
    if (systems > 1) throw new DragomanError('usage', '--sentence-level: expected one system, got several');
  }
  if (flags.byLength === undefined) refuse({ plot: flags.plot }, 'needs --by-length');
  else refuse({ sentenceLevel, pairedBs, pairedAr, scoreOnly }, 'has no meaning with --by-length');
  if (flags.plot === undefined) refuse({ overwrite: flags.overwrite }, 'needs --plot');
  else if (metrics !== 1) throw new DragomanError('usage', `--plot: expected one metric, got ${metrics}`);
  if (pairedBs) refuse({ pairedAr }, 'has no meaning with --paired-bs: expected one of them');
  if (systems === 1) refuse({ pairedBs, pairedAr }, 'needs two or more --hypothesis files');
  if (pairedBs) refuse({ confidence }, 'has no meaning with --paired-bs, which has intervals anyway');
  if (pairedAr) refuse({ confidence }, 'has no meaning with --paired-ar; --paired-bs has intervals');
  if (!confidence && !pairedBs && !pairedAr) {
    refuse({ resamples, resamplingSeed }, 'needs --confidence, --paired-bs or --paired-ar');
  }
  if (width !== undefined && width > WIDEST) {
    throw new DragomanError('usage', `--width: expected at most ${WIDEST}, got ${width}`);
  }
  if (flags.format === 'json') {
    refuse({ width, scoreOnly }, 'has no meaning with --format json, which has every figure in full');
  }
  if (systems > 1) refuse({ scoreOnly }, 'has no meaning with several systems, which come as a table');
  if (scoreOnly) refuse({ short: flags.short }, 'has no meaning with --score-only');
  return { ...flags, paired: pairedBs ? 'bs' : pairedAr ? 'ar' : undefined };
}

/** @throws DragomanError `usage` if the model or what it shall translate is missing. */
export async function checkModel(
  folders: readonly string[],
  { source, reference }: { readonly source?: string; readonly reference: readonly string[] },
): Promise<string> {
  if (folders.length === 0) {
    const last = reference.at(-1)!;
    const found = last === STDIN ? null : await stat(last).catch(() => null);
    if (found?.isDirectory()) {
      throw new DragomanError('usage', `${last}: expected the model folder before --reference, got it after`);
    }
    throw new DragomanError('usage', 'expected a model folder, or --hypothesis FILE');
  }
  if (source !== undefined) return source;
  throw new DragomanError('usage', 'expected --source FILE beside the model');
}

/** @throws DragomanError `usage` for a name that stands twice where it cannot be read or told apart twice. */
export function checkFiles(hypotheses: readonly string[], references: readonly string[]): void {
  const twice = hypotheses.find((file, i) => hypotheses.indexOf(file) !== i);
  if (twice !== undefined) {
    throw new DragomanError('usage', `expected systems of different names, got ${nameOf(twice)} twice`);
  }
  if ([...hypotheses, ...references].filter((file) => file === STDIN).length > 1) {
    throw new DragomanError('usage', 'expected standard input (-) for one file, got it for several');
  }
}

/** @throws DragomanError `input` for references of another number of lines. */
export function checkLengths(
  references: readonly (readonly string[])[],
  files: readonly string[],
  lines: number,
  other: string,
): void {
  for (const [i, set] of references.entries()) {
    if (set.length === lines) continue;
    const place = `${nameOf(files[i]!)}: expected ${lines} lines as in ${nameOf(other)}`;
    throw new DragomanError('input', `${place}, got ${set.length}`);
  }
}
