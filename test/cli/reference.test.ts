import { expect, it } from 'vitest';
import { commandPage } from './reference.js';

it('docs/cli.md says what --help says', async () => {
  await expect(await commandPage()).toMatchFileSnapshot('../../docs/cli.md');
});
