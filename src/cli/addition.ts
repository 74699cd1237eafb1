import { Command } from '@commander-js/extra-typings';
import {
  ADDITION_DEFAULTS,
  type AdditionOptions,
  ARTICLE_LOSS,
  SUM_TRANSLATION_DEFAULTS,
  type SumTranslationOptions,
} from '../bench/addition-options.js';
import { integer, positiveInteger, refuse } from './arguments.js';
import { cellNamed } from './cell.js';
import { Interruption } from './interruption.js';
import { stopOnSignal } from './stop-on-signal.js';
import { resultTable } from './table.js';
import type { Terminal } from './terminal.js';

const EXAMPLES_SHOWN = 3;
/** Steps between two looks at the loss for the progress line: reading it waits for the engine. */
const LOOK_STEPS = 50;

/** `dragoman addition`: the arithmetic benchmark. */
export function additionCommand(terminal: Terminal) {
  const { bits, layers, units, steps, batch, seed } = ADDITION_DEFAULTS;
  return new Command('addition')
    .description('the arithmetic benchmark: a recurrent network learns to add binary numbers')
    .option(
      '--bits <n>',
      `length of a number; those added are below 2^(n-1) (default: ${bits})`,
      positiveInteger,
    )
    .option('--layers <n>', `recurrent layers (default: ${layers})`, positiveInteger)
    .option(
      '--units <n>',
      `units a layer (default: ${units}; --as-translation: ${SUM_TRANSLATION_DEFAULTS.hidden})`,
      positiveInteger,
    )
    .option('--cell <kind>', 'the recurrent cell, of those in docs/family.md (default: lstm)')
    .option(
      '--steps <n>',
      `training steps (default: ${steps}; --as-translation: ${SUM_TRANSLATION_DEFAULTS.steps})`,
      positiveInteger,
    )
    .option('--batch <n>', `sums a step (default: ${batch})`, positiveInteger)
    .option('--seed <n>', `of weights and sums (default: ${seed})`, integer)
    .option('--most-significant-first', 'also train with the bits in reverse, and compare')
    .option('--test-bits <n>', 'also test on numbers of this length', positiveInteger)
    .option('--as-translation', 'learn "1010010+111100" to "10001110" with the encoder-decoder')
    .option('--reverse-source', 'with --as-translation: only with the source reversed')
    .option('--no-reverse-source', 'with --as-translation: only with the source as it is')
    .addHelpText(
      'after',
      `
Examples:
  dragoman addition
  dragoman addition --cell gru --seed 7 --test-bits 16
  dragoman addition --most-significant-first
  dragoman addition --as-translation`,
    )
    .action(
      async ({ asTranslation, mostSignificantFirst, reverseSource, testBits, layers, cell, ...rest }) => {
        const common = { ...rest, cell: cell === undefined ? undefined : await cellNamed('--cell', cell) };
        const stop = stopOnSignal((text) => terminal.say(text), 'stopping after this step');
        try {
          if (asTranslation) {
            refuse({ mostSignificantFirst, testBits, layers }, 'has no meaning with --as-translation');
            const { units, ...others } = common;
            const orders = reverseSource === undefined ? [false, true] : [reverseSource];
            await asTranslationTask(terminal, { ...others, hidden: units }, orders, stop.signal);
          } else {
            if (reverseSource !== undefined) {
              refuse(
                { [reverseSource ? 'reverseSource' : 'noReverseSource']: true },
                'needs --as-translation',
              );
            }
            const orders = mostSignificantFirst ? [false, true] : [false];
            await bitByBit(terminal, { ...common, layers }, orders, testBits, stop.signal);
          }
          if (stop.signal.aborted) throw new Interruption('interrupted; nothing is kept of this benchmark');
        } finally {
          stop.release();
        }
      },
    );
}

/** Options that were given; the others take their defaults. */
type Given<T> = { [K in keyof T]?: T[K] | undefined };

function given<T>(options: Given<T>): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

async function bitByBit(
  terminal: Terminal,
  options: Given<AdditionOptions>,
  orders: readonly boolean[],
  testBits: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { startEngine } = await import('../engine/engine.js');
  const { AdditionNetwork, showNumber } = await import('../bench/addition.js');
  const engine = await startEngine();
  const rows: string[][] = [];
  for (const mostSignificantFirst of orders) {
    const network = new AdditionNetwork({ ...given(options), mostSignificantFirst });
    const { cell, layers, units, steps, bits } = network.options;
    const name = mostSignificantFirst ? 'most significant bit first' : 'least significant bit first';
    terminal.say(
      `${name}: ${layers} ${cell} layers of ${units}, ${network.size} parameters, on ${engine.name}`,
    );
    const compared = isArticleSetting(network.options);
    const losses = new Map<number, number>();
    const progress = terminal.progress('training', steps);
    const perStep = await network.train({
      signal,
      onStep: (step, loss) => {
        if (step % 1000 === 0 || step === steps) losses.set(step, loss());
        if (step % LOOK_STEPS === 0) progress.update(step, `loss ${loss().toPrecision(3)}`);
      },
    });
    progress.finish();
    if (signal.aborted) return network.dispose();
    for (const [step, loss] of losses) {
      const article = compared ? ARTICLE_LOSS.get(step) : undefined;
      await terminal.print(
        `step ${step}: loss ${loss}${article === undefined ? '' : ` (the article's run: ${article})`}`,
      );
    }
    terminal.say(`${perStep.toFixed(2)} ms a step`);
    for (const { a, b, predicted } of network.examples(EXAMPLES_SHOWN)) {
      await terminal.print(`\n${[a, b, predicted].map((x) => showNumber(x, bits)).join('\n')}`);
    }
    await terminal.print('');
    const lengths = testBits === undefined || testBits === bits ? [bits] : [bits, testBits];
    for (const length of lengths) {
      const { pairs, exact, bitAccuracy } = network.test(length);
      const share = `${((100 * exact) / pairs).toFixed(2)} %`;
      await terminal.print(
        `${length} bits: ${exact} of ${pairs} sums right (${share}), ${(100 * bitAccuracy).toFixed(2)} % of the bits`,
      );
      rows.push([
        name,
        `${length}`,
        [...losses.values()].at(-1)!.toPrecision(3),
        share,
        `${(100 * bitAccuracy).toFixed(2)} %`,
      ]);
    }
    network.dispose();
    if (orders.length > 1) await terminal.print('');
  }
  if (orders.length > 1) {
    await terminal.print(
      resultTable(terminal, ['order', 'bits', 'last loss', 'sums right', 'bits right'], rows),
    );
  }
}

/** Whether the article's losses are those of the same experiment. */
function isArticleSetting(options: AdditionOptions): boolean {
  const { seed: _seed, steps: _steps, testBits: _testBits, ...article } = ADDITION_DEFAULTS;
  return Object.entries(article).every(([name, value]) => options[name as keyof AdditionOptions] === value);
}

async function asTranslationTask(
  terminal: Terminal,
  options: Given<SumTranslationOptions>,
  orders: readonly boolean[],
  signal: AbortSignal,
): Promise<void> {
  const { startEngine } = await import('../engine/engine.js');
  const { sumAsText, SumTranslator } = await import('../bench/addition-translation.js');
  await startEngine();
  const rows: string[][] = [];
  for (const reverseSource of orders) {
    const translator = new SumTranslator({ ...given(options), reverseSource });
    const { steps } = translator.options;
    const name = reverseSource ? 'reversed' : 'as it is';
    terminal.say(`source ${name}`);
    let last = Number.NaN;
    const progress = terminal.progress('training', steps);
    await translator.train({
      signal,
      onStep: (step, loss) => {
        if (step % LOOK_STEPS !== 0 && step !== steps) return;
        last = loss();
        progress.update(step, `loss ${last.toPrecision(3)}`);
      },
    });
    progress.finish();
    if (signal.aborted) return translator.dispose();
    const { source, target } = sumAsText(82, 60);
    const [said] = translator.translate([source]);
    await terminal.print(`source ${name}: ${source} -> ${said} (expected ${target})`);
    const { pairs, exact } = translator.test();
    rows.push([name, last.toPrecision(3), `${exact} of ${pairs}`, `${((100 * exact) / pairs).toFixed(1)} %`]);
    translator.dispose();
  }
  const head = ['source', 'last loss', 'held-out sums right', 'share'];
  await terminal.print(resultTable(terminal, head, rows));
}
