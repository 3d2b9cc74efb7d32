/** Of each bug that can be planted a seed whose run shows it, and a law that it breaks there. */
import type { Law } from '../laws.ts';
import type { PlantName } from './names.ts';

export const foundBy: Readonly<Record<PlantName, readonly [seed: number, law: Law]>> = {
  'checkpoint-before-effect': [36, 'no reaction is skipped'],
  'append-any': [2, 'no acknowledged command is lost, none is applied twice'],
  'no-dedupe': [2, 'no acknowledged command is lost, none is applied twice'],
  'compensate-after': [15, 'nothing is held for what is gone'],
  'wall-clock': [3, 'the log is whole and in order'],
  'stale-refusal': [47, 'nothing is held for what is gone'],
  'no-tombstone': [207, 'nothing is held for what is gone'],
  'skip-last': [1, 'no reaction is skipped'],
  'cross-tenant-key': [7, 'no acknowledged command is lost, none is applied twice'],
  'replay-fires': [1, 'no reaction runs again on what was done'],
};
