import { basename, dirname, join, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { messageOf } from '../errors.js';
import { collect } from './arguments.js';
import { shellWord } from './command-line.js';
import { Interruption } from './interruption.js';
import { announceInput } from './lines.js';
import { stopOnSignal } from './stop-on-signal.js';
import type { Terminal } from './terminal.js';
import { clock, TrainingReport } from './training-report.js';

/** `dragoman train`: from a configuration to a model folder. */
export function trainCommand(terminal: Terminal) {
  return new Command('train')
    .description('train a model from a configuration; prints the folder it is left in')
    .argument('<config>', 'a YAML file; docs/configuration.md lists its keys')
    .option('-o, --output <folder>', "the model folder (default: models/ and the configuration's name)")
    .option('--set <key=value>', 'override a key of the configuration; may be given several times', collect)
    .option('--resume', "go on from the folder's last checkpoint")
    .option('--overwrite', 'replace the model that is in the folder')
    .addHelpText(
      'after',
      `
Examples:
  dragoman train data/vscode-ui/train.yaml
  dragoman train train.yaml --set train.batch.size=32 --set model.cell=gru --output models/gru
  dragoman train train.yaml --resume

Ctrl-C saves a checkpoint and ends; --resume goes on from there as if nothing had happened.
A folder takes one training at a time; a second one is refused.`,
    )
    .action(async (file, { output, set, resume, overwrite }) => {
      const { loadConfig } = await import('../config.js');
      const config = await loadConfig(file, set);
      const { usesStandardInput } = await import('../text/corpus.js');
      const { train: training, validation } = config.data;
      if (usesStandardInput(training) || usesStandardInput(validation)) announceInput('-', terminal);
      const { train } = await import('../train/train.js');
      const report = new TrainingReport(terminal);
      const stop = stopOnSignal(
        (text) => report.onMessage(text),
        'stopping after this step and saving; Ctrl-C again stops at once',
      );
      try {
        const result = await train(config, {
          onProgress: (progress) => report.onProgress(progress),
          onValidation: (found) => report.onValidation(found),
          onMessage: (message) => report.onMessage(message),
          folder: output ?? join('models', configName(file)),
          configFolder: dirname(file),
          resume,
          overwrite,
          signal: stop.signal,
          command: commandLine(file, output, set),
        });
        report.finish();
        if (result.stopped === 'interrupted') {
          throw new Interruption(`interrupted; this goes on: ${commandLine(file, output, set)} --resume`);
        }
        const { final, seconds, step, epoch, stopped } = result;
        const perplexity = final ? `, validation perplexity ${final.perplexity.toFixed(2)}` : '';
        terminal.say(
          `trained ${step} steps (${epoch} epochs) in ${clock(seconds)}, until ${LIMITS[stopped]}${perplexity}`,
        );
        await terminal.print(result.folder);
      } catch (error) {
        report.finish();
        throw stop.signal.aborted && !(error instanceof Interruption)
          ? new Interruption(messageOf(error))
          : error;
      } finally {
        stop.release();
      }
    });
}

const LIMITS = {
  epochs: 'train.epochs',
  steps: 'train.steps',
  minutes: 'train.minutes',
  'early stopping': 'early stopping (no better perplexity)',
  interrupted: 'interrupted',
} as const;

/** `data/vscode-ui/train.yaml` is called vscode-ui, any `some-name.yaml` some-name. */
export function configName(file: string): string {
  const name = basename(file).replace(/\.ya?ml$/i, '');
  return name === 'train' || name === 'config' ? basename(dirname(resolve(file))) : name;
}

/** The command that makes this model, for its model card. */
function commandLine(file: string, output: string | undefined, set: readonly string[] = []): string {
  const words = ['dragoman', 'train', file, ...set.flatMap((one) => ['--set', one])];
  if (output !== undefined) words.push('--output', output);
  return words.map(shellWord).join(' ');
}
