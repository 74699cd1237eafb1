import { configSchema } from '../src/config.js';
import { type ConfigField, configFields } from '../src/config-fields.js';

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

const SECTIONS: Readonly<Record<string, string>> = {
  seed: 'The whole run',
  data: 'Corpora',
  text: 'Tokenizers and vocabularies',
  model: 'The model',
  train: 'Training',
};

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  const sections = new Map<string, ConfigField[]>();
  for (const field of configFields(configSchema)) {
    const [section = ''] = field.path.split('.');
    sections.set(section, [...(sections.get(section) ?? []), field]);
  }
  const tables = [...sections].map(([section, fields]) => {
    const rows = fields.map(({ path, expects, fallback, required, description }) => {
      const shown = required ? '**needed**' : fallback === undefined ? '' : `\`${fallback}\``;
      return `| \`${path}\` | ${expects} | ${shown} | ${description} |`;
    });
    return `\n## ${SECTIONS[section]}\n\n| key | takes | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return INTRODUCTION + tables.join('');
}
