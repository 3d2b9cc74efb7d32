/**
 * What may be asked of a container as it stands, for who only looks: by the table that decisions ask,
 * and by their other rules about holds, about who is at work on it and about time. What other
 * contexts have to say (quota, room on the node) is not known before it is asked.
 */
import { allows, type Lifecycle, type Transition } from './transitions.ts';

/** What somebody may ask for, by the transition it takes. */
export const acts = [
  'start',
  'stop',
  'restart',
  'freeze',
  'thaw',
  'resize',
  'attach',
  'removeAddresses',
  'packages',
  'rename',
  'softDelete',
  'restore',
  'delete',
  'hold',
] as const satisfies readonly Transition[];
export type Act = (typeof acts)[number];

export interface Standing {
  readonly lifecycle: Lifecycle;
  readonly held: boolean;
  /** An operation is at work on it. */
  readonly busy: boolean;
  readonly addresses: number;
  /** Until when its deletion can be taken back; null where it is not deleted so. */
  readonly restoreUntil: string | null;
}

/** What a hold forbids its owner. */
const notHeld: ReadonlySet<Act> = new Set([
  'start',
  'restart',
  'freeze',
  'thaw',
  'resize',
  'attach',
  'packages',
]);

/** Everything that the container itself would not refuse now. */
export function possibleActs(standing: Standing, now: string): Act[] {
  const { lifecycle, held, busy, addresses, restoreUntil } = standing;
  return acts.filter((act) => {
    // A name is decided at once; everything else is an operation's, and one holds it at a time.
    if (busy && act !== 'rename') return false;
    if (held && notHeld.has(act)) return false;
    if (act === 'removeAddresses' && addresses < 2) return false;
    if (act === 'restore' && restoreUntil !== null && now > restoreUntil) return false;
    if (act === 'delete' && allows('vanishUnrun', lifecycle)) return true;
    return allows(act, lifecycle);
  });
}
