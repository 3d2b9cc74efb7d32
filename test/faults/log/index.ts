/**
 * Faults of the embedded log: a process that appends under load is killed at points its seed chooses,
 * several times on the same log, and each time what is left is checked.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crashOnce } from '../../../infra/event-store/embedded/testing/crash.ts';

/** What the faults of one seed showed. */
export interface LogFaultReport {
  /** Lines the killed processes said, most of them acknowledgements. */
  readonly events: number;
  readonly crashes: number;
  readonly violations: string[];
}

const CRASHES = 4;

/** Runs the faults of one seed; the same seed makes the same plan. */
export async function runLogFaults(seed: number): Promise<LogFaultReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-faults-'));
  const violations: string[] = [];
  let events = 0;
  try {
    for (let n = 0; n < CRASHES; n++) {
      const report = await crashOnce(folder, seed * CRASHES + n);
      events += report.events;
      for (const violation of report.violations) {
        violations.push(`seed ${seed}, crash ${n}: ${violation}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { events, crashes: CRASHES, violations };
}
