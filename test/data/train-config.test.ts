import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.js';

describe('the configuration', () => {
  it.each(['vscode-ui/train', 'g2p/train', 'multi30k/train', 'multi30k/language-model'])(
    'of %s is a configuration',
    (name) => {
      const file = fileURLToPath(new URL(`../../data/${name}.yaml`, import.meta.url));
      const config = parseConfig(readFileSync(file, 'utf8'), file);
      expect(config.data.train).not.toEqual(config.data.validation);
    },
  );
});
