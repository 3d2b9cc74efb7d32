/** The bugs that can be planted, by name. */
export const plantNames = [
  'checkpoint-before-effect',
  'append-any',
  'no-dedupe',
  'compensate-after',
  'wall-clock',
  'stale-refusal',
  'no-tombstone',
  'skip-last',
  'cross-tenant-key',
  'replay-fires',
] as const;
export type PlantName = (typeof plantNames)[number];
