import { Command, Option } from '@commander-js/extra-typings';
import type { Curve } from '../bench/curves.js';
import { integer, positiveInteger, refuse } from './arguments.js';
import { Interruption } from './interruption.js';
import { openOutput, withOutput } from './output.js';
import { stopOnSignal } from './stop-on-signal.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

const STEPS = 500;

/** `dragoman bench curves`: whether every engine learns the same. */
export function curvesCommand(terminal: Terminal) {
  return new Command('curves')
    .description(
      'train the same on every engine, by its kernels and by automatic differentiation, and compare',
    )
    .option('--steps <n>', 'training steps', positiveInteger, STEPS)
    .option('--seed <n>', 'of weights and sequences', integer, 1)
    .option('--svg <file>', 'also draw the losses')
    .option('--overwrite', 'replace the file of --svg if it exists')
    .addOption(
      new Option('--format <name>', 'of the result')
        .choices(['table', 'json'] as const)
        .default('table' as const),
    )
    .addHelpText(
      'after',
      `
The encoder-decoder learns to reverse sequences, from the same weights over the same batches. The kernels of src/kernel
and TensorFlow.js' own automatic differentiation share no derivative, so curves that lie on one another say that both are
right. Float32 rounds differently in each, and training makes small differences large: single steps are apart by no more
than rounding at the beginning, and by as much as two seeds later; the mean of the last tenth is the same again.

Examples:
  dragoman bench curves
  dragoman bench curves --steps 1000 --seed 7 --svg curves.svg`,
    )
    .action(async ({ steps, seed, svg: file, overwrite, format }) => {
      if (file === undefined) refuse({ overwrite }, 'needs --svg');
      const svg = file === undefined ? undefined : await openOutput(file, terminal, overwrite);
      const stop = stopOnSignal((text) => terminal.say(text), 'stopping after this step');
      try {
        const { curveName, curves, curvesPlot, curveWays, distance, finalLoss } = await import(
          '../bench/curves.js'
        );
        const { startEngine } = await import('../engine/engine.js');
        await startEngine();
        const progress = terminal.progress('steps', curveWays().length * steps);
        const done: Curve[] = [];
        try {
          const onStep = (step: number): void => progress.update(done.length * steps + step);
          for await (const curve of curves({ steps, seed, signal: stop.signal, onStep })) done.push(curve);
        } finally {
          progress.finish();
        }
        if (stop.signal.aborted) throw new Interruption('interrupted: nothing was compared');
        const [first] = done;
        const rows = done.map((curve) => ({
          ...curve,
          finalLoss: finalLoss(curve),
          ...distance(first!, curve),
        }));
        const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;
        await terminal.print(
          format === 'json'
            ? JSON.stringify(rows, null, 1)
            : resultTable(
                terminal,
                ['training', 'first loss', 'last tenth', 'apart, first tenth', 'apart, last tenth'],
                rows.map((row, k) => [
                  curveName(row),
                  row.losses[0]!.toFixed(6),
                  row.finalLoss.toFixed(4),
                  ...(k === 0 ? ['', ''] : [percent(row.early), percent(row.final)]),
                ]),
              ),
        );
        if (svg !== undefined) await withOutput(svg, (output) => output.print(curvesPlot(done)));
      } finally {
        svg?.abandon();
        stop.release();
      }
    });
}
