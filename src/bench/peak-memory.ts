import { readFileSync, writeFileSync } from 'node:fs';

/** Forgets the largest memory of this process so far, where the system (Linux) can: the peak counts from now. */
export function resetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Elsewhere the peak counts from the start of the process.
  }
}

/** The largest resident memory of this process in MiB since {@link resetPeakMemory}. */
export function peakMemory(): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kib !== undefined) return Number(kib) / 1024;
  } catch {
    // no such file: not Linux
  }
  return process.resourceUsage().maxRSS / 1024;
}
