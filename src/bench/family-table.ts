import type { FamilyResult, Figure } from './family.js';

/** A task's rows as text: mean ± deviation over the seeds, with the best beside it where there are several. */
export function tableOf(result: FamilyResult): { head: string[]; rows: string[][] } {
  const measures = [...new Set(result.rows.flatMap((row) => Object.keys(row.measures)))];
  const settings = result.rows.some((row) => row.setting !== '');
  return {
    head: ['member', ...(settings ? ['setting'] : []), ...measures, 'parameters', 'ms a step'],
    rows: result.rows.map((row) => [
      row.subject,
      ...(settings ? [row.setting] : []),
      ...measures.map((name) => {
        const figure = row.measures[name];
        return figure === undefined ? '' : showFigure(figure);
      }),
      `${row.parameters}`,
      row.millisecondsPerStep === null ? '' : row.millisecondsPerStep.toFixed(1),
    ]),
  };
}

/** `98.2 ± 1.1 (96.9 to 99.4)`: mean, deviation, range. */
function showFigure({ mean, deviation, values }: Figure): string {
  if (deviation === null) return showNumber(mean);
  const range = `${showNumber(Math.min(...values))} to ${showNumber(Math.max(...values))}`;
  return `${showNumber(mean)} ± ${showNumber(deviation)} (${range})`;
}

/** Three digits that count; more where they are before the point. */
function showNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return `${value}`;
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential(1);
  return size >= 10 ? value.toFixed(1) : `${Number(value.toPrecision(3))}`;
}
