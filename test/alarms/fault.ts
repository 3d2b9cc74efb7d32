/** One thing that goes wrong for real, and the alert that says so. */
import type { ThresholdName } from '@bivouac/infra/runtime';

import type { Alarmed } from './alarmed.ts';

export interface Fault {
  readonly alert: ThresholdName;
  /** How it comes about, as the table of docs/metrics.md has it. */
  readonly how: string;
  /** Labels that the alert carries. */
  readonly labels: Readonly<Record<string, string>>;
  /** What the status screen says, where it is. */
  readonly says: RegExp;
  readonly settings?: Readonly<Record<string, string>>;
  /** What the installation measures while it lasts, in full. */
  readonly values?: Readonly<Record<string, number>>;
  /** Makes it; answers how to end it. */
  readonly begin: (on: Alarmed) => Promise<() => Promise<void>>;
}
