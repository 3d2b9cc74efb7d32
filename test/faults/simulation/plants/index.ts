/**
 * Known bugs, each put into a run from outside: a port in a faulty wrapping, or a faulty policy in the
 * place of the right one. A simulation that does not find them is not worth its time.
 */
import type { Plant } from '../system.ts';
import type { PlantName } from './names.ts';

/** A plant by name; without a name nothing is planted. */
export function plantOf(name: PlantName | null): Plant {
  return name === null ? {} : plants[name];
}

const plants: Readonly<Record<PlantName, Plant>> = {
  'checkpoint-before-effect': {},
  'append-any': {},
  'no-dedupe': {},
  'compensate-after': {},
  'wall-clock': {},
  'stale-refusal': {},
  'no-tombstone': {},
  'skip-last': {},
  'cross-tenant-key': {},
  'replay-fires': {},
};
