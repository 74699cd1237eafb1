import { Command } from '@commander-js/extra-typings';
import type { Diagnosis } from '../engine/diagnosis.js';
import { DragomanError } from '../errors.js';
import type { Terminal } from './terminal.js';

/** A diagnosis for people. */
export function describeDiagnosis(d: Diagnosis): string {
  const { engine } = d;
  const lines: (readonly [string, string])[] = [
    ['engine', engine ? `${engine.name} (${engine.version})` : `none: ${d.failure}`],
    ...(engine?.passedOver ?? []).map(({ name, reason }) => ['', `not ${name}: ${reason}`] as const),
    ...(engine
      ? ([
          ['threads', String(engine.threads)],
          ['products', engine.products],
        ] as const)
      : []),
    ...(engine?.kernels
      ? ([
          [
            'kernels',
            engine.kernels.processor
              ? `compiled (${engine.kernels.processor})`
              : `TensorFlow's operations alone: ${d.installation?.kernels ?? engine.kernels.reason}`,
          ],
        ] as const)
      : []),
    ['processor', d.processor],
    ['vectors', d.vectorExtensions?.join(', ') || 'not told by this system'],
    ['platform', d.platform],
    ['Node', d.node],
    ['Dragoman', d.dragoman],
    ['native', d.native ?? 'not installed'],
    ['cache', d.cache],
  ];
  const parts = [lines.map(([label, text]) => `${label.padEnd(10)} ${text}`).join('\n')];
  if (d.installation) {
    const { at, node, attempts } = d.installation;
    const routes = attempts.map(
      ({ title, failure }) => `  ${failure ? 'no ' : 'yes'}  ${title}${failure ? `: ${failure}` : ''}`,
    );
    parts.push(
      `Routes to the native engine, as tried at ${at.slice(0, 16).replace('T', ' ')} UTC with Node ${node}:\n${routes.join('\n')}`,
    );
  }
  if (d.advice.length > 0) parts.push(`What to do:\n${d.advice.map((line) => `  - ${line}`).join('\n')}`);
  return parts.join('\n\n');
}

/** `dragoman doctor`: which engine computes, why, and how to get the faster one. */
export function doctorCommand(terminal: Terminal) {
  return new Command('doctor')
    .description('say which engine computes, why, and how to get the faster one')
    .option('--install', 'get the native engine first: by every route that `npm install` tries')
    .option('--json', 'the same for programs')
    .addHelpText(
      'after',
      `
Examples:
  dragoman doctor
  dragoman doctor --install             after an npm install that ran no scripts
  dragoman --engine wasm doctor         whether another engine works`,
    )
    .action(async ({ install, json }) => {
      // Loaded here, for they load TensorFlow.js, and other commands' --help should not wait for it.
      const { diagnose } = await import('../engine/diagnosis.js');
      if (install) {
        const { describeInstallation, installForUser } = await import('../engine/choose.js');
        terminal.say(describeInstallation(await installForUser((line) => terminal.say(line))));
      }
      const diagnosis = await diagnose();
      await terminal.print(json ? JSON.stringify(diagnosis, null, 2) : describeDiagnosis(diagnosis));
      if (diagnosis.failure !== null) throw new DragomanError('engine', diagnosis.failure);
    });
}
