import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

// Whether another process, or the one that was there before a crash or a restart, is still at work.

/** Seconds by which the clock may have been set since; the time of the machine's start is reckoned from it. */
const CLOCK_SLACK = 60;

/** Whether a process with this number runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it runs, but is somebody else's
  }
}

/**
 * What tells a running process from another that got its number later: the machine's start and the process's own, as
 * the system counts them. Null where the system does not say (it is Linux that does), and for one that has ended but
 * whose parent has not taken note.
 */
export function startOf(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, second and in brackets, may itself hold blanks and brackets; after it come state, third, and start, 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[3 - 3], fields[22 - 3]];
    return state === 'Z' || ticks === undefined ? null : `${boot} ${ticks}`;
  } catch {
    return null;
  }
}

/** Whether this machine has been started anew since a time. @param time in milliseconds, as of `Date.now()` */
export function restartedSince(time: number): boolean {
  return time < Date.now() - (uptime() + CLOCK_SLACK) * 1000;
}
