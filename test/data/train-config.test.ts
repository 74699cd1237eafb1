import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.js';

describe('train.yaml', () => {
  it.each(['vscode-ui', 'g2p', 'multi30k'])('of %s is a configuration', (task) => {
    const file = fileURLToPath(new URL(`../../data/${task}/train.yaml`, import.meta.url));
    const config = parseConfig(readFileSync(file, 'utf8'), file);
    expect(config.data.train).not.toEqual(config.data.validation);
  });
});
