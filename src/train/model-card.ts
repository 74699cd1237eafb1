import { basename, resolve } from 'node:path';
import type { Config } from '../config.js';
import { corpusName } from '../text/corpus.js';
import type { EncodedCorpus } from '../text/encoded.js';
import { VERSION } from '../version.js';
import type { StopReason } from './limits.js';
import type { TrainOutcome } from './trainer.js';

/** What a model card tells. */
export interface CardFacts {
  readonly folder: string;
  readonly config: Config;
  readonly training: EncodedCorpus;
  readonly validation: EncodedCorpus;
  readonly vocabularies: { readonly source: number; readonly target: number };
  readonly parameters: number;
  readonly engine: { readonly name: string; readonly version: string };
  readonly outcome: TrainOutcome;
  /** The command that made the model, if it was one. */
  readonly command?: string;
}

const ENDINGS: Readonly<Record<StopReason, string>> = {
  epochs: 'ended by the limit of epochs',
  steps: 'ended by the limit of steps',
  minutes: 'ended by the limit of time',
  'early stopping': 'ended by early stopping',
  interrupted: 'interrupted',
};

/** The README.md of a model folder. */
export function modelCard(facts: CardFacts): string {
  const { folder, config, outcome, engine } = facts;
  const { model, text, train, seed } = config;
  const { encoder, decoder } = model;
  const tokenizer = (spec: typeof text.source): string => spec.kind;
  const rows: [string, string][] = [
    [
      'encoder',
      `${(encoder.cell ?? model.cell).kind}, ${layers(encoder.layers)} of ${encoder.hidden}${encoder.bidirectional ? ' in each direction' : ''}${model.reverseSource ? ', source reversed' : ''}`,
    ],
    [
      'decoder',
      `${(decoder.cell ?? model.cell).kind}, ${layers(decoder.layers)} of ${decoder.hidden}, ${model.attention.kind === 'none' ? 'no' : model.attention.kind} attention${model.inputFeeding ? ' with input feeding' : ''}`,
    ],
    ['parameters', count(facts.parameters)],
    [
      'vocabulary',
      `source ${count(facts.vocabularies.source)} (${tokenizer(text.source)}), target ${count(facts.vocabularies.target)} (${tokenizer(text.target)})${text.joint ? ', joint' : ''}`,
    ],
    ['training data', corpus(config.data.train, facts.training)],
    ['validation data', corpus(config.data.validation, facts.validation)],
    [
      'training',
      `${count(outcome.step)} steps, ${count(outcome.epoch)} whole epochs, ${count(outcome.targetTokens)} target tokens in ${duration(outcome.seconds)}; ${ENDINGS[outcome.stopped]}`,
    ],
    [
      'optimizer',
      `${train.optimizer.kind}, learning rate ${train.optimizer.learningRate}, schedule ${train.schedule.kind}`,
    ],
    ['seed', `${seed}`],
    ['engine', `${engine.name} (${engine.version})`],
  ];
  return `# ${basename(resolve(folder))}

A sequence-to-sequence translation model, made with Dragoman ${VERSION}.

| | |
|---|---|
${rows.map(([name, value]) => `| ${name} | ${value.replaceAll('|', '\\|')} |`).join('\n')}

## Scores on the validation data

${scores(facts)}

## How it was made

${facts.command === undefined ? 'By a program that calls `train` with the configuration in `config.yaml`.' : fenced(facts.command)}

## How to use it

${fenced(`dragoman translate ${quoted(folder)} < source.txt > target.txt`)}

\`config.yaml\` holds the whole configuration, \`history.jsonl\` the course of the training. \`checkpoint/\` is only needed
to go on training and may be deleted.
`;
}

function scores({ outcome, config }: CardFacts): string {
  const { final, averaged } = outcome;
  if (final === null) return 'None yet: training was interrupted before the first validation.';
  const origin =
    averaged.length > 0
      ? `mean of the weights of steps ${averaged.join(', ')}`
      : `best of the validations, at step ${count(final.step)}`;
  const rows = [
    ['weights', origin],
    ['perplexity', `${final.perplexity.toFixed(3)} a token`],
    ['token accuracy', `${(100 * final.accuracy).toFixed(2)} %, given the reference before it`],
  ];
  if (final.bleu !== null) {
    rows.push([
      'BLEU',
      `${final.bleu.toFixed(2)}, greedy search, a sample of up to ${count(config.train.validation.bleuSentences)} sentences`,
    ]);
  }
  return `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`;
}

function corpus(spec: Config['data']['train'], encoded: EncodedCorpus): string {
  const { empty, tooLong } = encoded.dropped;
  const dropped =
    empty + tooLong === 0 ? '' : `; left out: ${count(empty)} empty, ${count(tooLong)} too long`;
  return `${corpusName(spec)}: ${count(encoded.length)} pairs, ${count(encoded.sourceTokens)} source and ${count(encoded.targetTokens)} target tokens${dropped}`;
}

function layers(n: number): string {
  return n === 1 ? '1 layer' : `${n} layers`;
}

function count(n: number): string {
  return n.toLocaleString('en');
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
}

function fenced(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\``;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
