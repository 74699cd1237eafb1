import { writeSync } from 'node:fs';
import { createRequire, register } from 'node:module';

// Loaded with `node --import`: writes every module that the process loads to standard error, a line each.

const hook = `
  import { writeSync } from 'node:fs';
  export function load(url, context, next) {
    if (url.startsWith('file:')) writeSync(2, 'module ' + url + '\\n');
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const { cache } = createRequire(import.meta.url);
process.on('exit', () => {
  for (const file of Object.keys(cache)) writeSync(2, `module ${file}\n`);
});
