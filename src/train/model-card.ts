import { basename, resolve } from 'node:path';
import type { AnyConfig } from '../config.js';
import { corpusName } from '../text/corpus.js';
import type { EncodedCorpus } from '../text/encoded.js';
import { VERSION } from '../version.js';
import type { StopReason } from './limits.js';
import type { TrainOutcome } from './trainer.js';

/** What a model card says of one kind of model. */
export interface ModelDescription {
  readonly title: string;
  /** Rows of the table: a name and what is said of it. */
  readonly network: readonly (readonly [string, string])[];
  readonly vocabulary: string;
  corpusSize(corpus: EncodedCorpus): string;
  /** Sentences translated for BLEU. */
  readonly bleuSentences: number;
  /** The command to use it, for a folder quoted for a shell. */
  use(folder: string): string;
}

/** What a model card tells. */
export interface CardFacts {
  readonly folder: string;
  /** As it was written into the folder. */
  readonly config: AnyConfig;
  readonly description: ModelDescription;
  readonly training: EncodedCorpus;
  readonly validation: EncodedCorpus;
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
  const { folder, config, description, outcome, engine } = facts;
  const { train, seed } = config;
  const rows: (readonly [string, string])[] = [
    ...description.network,
    ['parameters', count(facts.parameters)],
    ['vocabulary', description.vocabulary],
    ['training data', corpus(config.data.train, facts.training, description)],
    ['validation data', corpus(config.data.validation, facts.validation, description)],
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

${description.title}, made with Dragoman ${VERSION}.

| | |
|---|---|
${rows.map(([name, value]) => `| ${name} | ${value.replaceAll('|', '\\|')} |`).join('\n')}

## Scores on the validation data

${scores(facts)}

## How it was made

${facts.command === undefined ? 'By a program that calls `train` with the configuration in `config.yaml`.' : fenced(facts.command)}

## How to use it

${fenced(description.use(quoted(folder)))}

\`config.yaml\` holds the whole configuration, \`history.jsonl\` the course of the training. \`checkpoint/\` is only needed
to go on training and may be deleted.
`;
}

function scores({ outcome, description }: CardFacts): string {
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
      `${final.bleu.toFixed(2)}, greedy search, a sample of up to ${count(description.bleuSentences)} sentences`,
    ]);
  }
  return `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`;
}

function corpus(
  spec: AnyConfig['data']['train'],
  encoded: EncodedCorpus,
  { corpusSize }: ModelDescription,
): string {
  const { empty, tooLong } = encoded.dropped;
  const dropped =
    empty + tooLong === 0 ? '' : `; left out: ${count(empty)} empty, ${count(tooLong)} too long`;
  return `${corpusName(spec)}: ${corpusSize(encoded)}${dropped}`;
}

export function layers(n: number): string {
  return n === 1 ? '1 layer' : `${n} layers`;
}

export function count(n: number): string {
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
