#!/usr/bin/env node
import { isClosedPipe, run } from './run.js';
import { Terminal } from './terminal.js';

// A reader that has seen enough (`dragoman … | head`) closes the pipe: we stop, and it is no error.
process.stdout.on('error', (error) => {
  if (isClosedPipe(error)) process.exit(0);
  process.stderr.write(`dragoman: standard output: ${error.message}\n`);
  process.exit(1);
});

const code = await run(process.argv.slice(2), new Terminal(process.stdout, process.stderr));
// The native engine keeps threads alive: leave when the output is written, without waiting for them.
process.stdout.write('', () => process.exit(code));
