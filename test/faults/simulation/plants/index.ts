/**
 * Known bugs, each put into a run from outside: a port in a faulty wrapping, or a faulty policy in the
 * place of the right one. A simulation that does not find them is not worth its time.
 */
import type { Plant } from '../system.ts';
import { skipLast } from './bus.ts';
import { crossTenantKey, noDedupe } from './caller.ts';
import type { PlantName } from './names.ts';
import { checkpointBeforeEffect, compensateAfter, noTombstone } from './services.ts';
import { appendAny, replayFires, staleRefusal, wallClock } from './store.ts';

/** A plant by name; without a name nothing is planted. */
export function plantOf(name: PlantName | null): Plant {
  return name === null ? {} : plants[name];
}

const plants: Readonly<Record<PlantName, Plant>> = {
  'checkpoint-before-effect': checkpointBeforeEffect,
  'append-any': appendAny,
  'no-dedupe': noDedupe,
  'compensate-after': compensateAfter,
  'wall-clock': wallClock,
  'stale-refusal': staleRefusal,
  'no-tombstone': noTombstone,
  'skip-last': skipLast,
  'cross-tenant-key': crossTenantKey,
  'replay-fires': replayFires,
};
