/**
 * Gives other services the chance to hand in what they owe a home before a deadline counts: what was
 * settled before a crash is answered by a reaction that may not have run yet.
 */
import type { Position } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { LOOK_EACH, passedElsewhere } from './elsewhere.ts';
import type { Reactions } from './reaction.ts';

/** How long a service is waited for that does not get on, in milliseconds: a deadline is one, too. */
const PATIENCE = 300_000;

export interface ChanceOptions {
  /** Those that run in this process, by service. */
  readonly reactions: ReadonlyMap<string, Reactions>;
  readonly store: EventStore;
  readonly clock: Clock;
}

/** Resolves when the service has consumed the home up to there, or is not waited for any longer. */
export async function whenHadChance(
  options: ChanceOptions,
  service: string,
  homeId: string,
  position: Position,
): Promise<void> {
  const { reactions, clock } = options;
  const over = new AbortController();
  const { signal } = over;
  const running = reactions.get(service);
  const passed =
    running === undefined
      ? elsewhere(options, service, homeId, position, signal)
      : running.whenPassed(homeId, position, signal);
  passed.catch(() => undefined);
  try {
    await Promise.race([passed, clock.sleep(PATIENCE, signal)]);
  } finally {
    over.abort();
  }
}

async function elsewhere(
  { store, clock }: ChanceOptions,
  service: string,
  homeId: string,
  position: Position,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && !(await passedElsewhere({ store, clock }, service, homeId, position))) {
    await clock.sleep(LOOK_EACH, signal);
  }
}
