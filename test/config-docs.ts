import { type ConfigField, configFields } from '../src/config/fields.js';
import { configSchema, languageModelSchema } from '../src/config.js';

// docs/configuration.md is made from the schema; `npx vitest run test/config-docs.test.ts -u` writes it anew.

const INTRODUCTION = `# Configuration

\`dragoman train CONFIG.yaml\` reads one YAML file. This page is made from its schema, and a test holds the two
together. A key that is not listed is an error, which names the file, line and column and what it could have been:

    train.yaml:12:3: model.attention: expected one of none, dot, general, additive, hopfield, got "dott", did you mean dot?

Paths are relative to the file's folder. \`--set train.batch.size=32\` (any key, any YAML value, as often as wanted)
wins over the file.

The smallest configuration is a corpus, a validation corpus, and how to cut text into tokens:

\`\`\`yaml
data:
  train: {source: train.en, target: train.de}
  validation: {file: dev.tsv, source: english, target: german}
text:
  source: {kind: word}
  target: {kind: word}
\`\`\`
`;

const LANGUAGE_MODEL = `
## A language model

\`task: language-model\` trains a [language model](language-models.md) from one-sided text:

\`\`\`yaml
task: language-model
data:
  train: {text: train.de}
  validation: {file: dev.tsv, text: german}
text:
  tokenizer: {kind: word}
\`\`\`

\`text.tokenizer\` takes what \`text.source\` takes. \`seed\`, \`train\` and whatever else is not in this table are as above, but
that \`train.segmentation\` is one section, not one a side, and that nothing is translated for BLEU.

`;

const SECTIONS: Readonly<Record<string, string>> = {
  task: 'The whole run',
  data: 'Corpora',
  text: 'Tokenizers and vocabularies',
  model: 'The model',
  train: 'Training',
};

/** Keys with one heading: `seed` stands with the task. */
function sectionOf({ path }: ConfigField): string {
  const [section = ''] = path.split('.');
  return section === 'seed' ? 'task' : section;
}

function tableOf(fields: readonly ConfigField[]): string {
  const rows = fields.map(({ path, expects, fallback, required, description }) => {
    const shown = required ? '**needed**' : fallback === undefined ? '' : `\`${fallback}\``;
    return `| \`${path}\` | ${expects} | ${shown} | ${description} |`;
  });
  return `| key | takes | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  const sections = new Map<string, ConfigField[]>();
  const translation = configFields(configSchema);
  for (const field of translation) {
    const section = sectionOf(field);
    sections.set(section, [...(sections.get(section) ?? []), field]);
  }
  const tables = [...sections].map(([section, fields]) => `\n## ${SECTIONS[section]}\n\n${tableOf(fields)}`);
  // Of a language model only what is not said already: keys of its own, or of another meaning.
  const known = new Set(translation.map((field) => JSON.stringify(field)));
  const own = configFields(languageModelSchema).filter(
    (field) =>
      !known.has(JSON.stringify(field)) &&
      !/^text\.tokenizer \(|^model\.cell|segmentation \(/.test(field.path),
  );
  return INTRODUCTION + tables.join('') + LANGUAGE_MODEL + tableOf(own);
}
