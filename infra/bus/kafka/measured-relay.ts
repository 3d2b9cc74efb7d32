/** What of a relay is looked up when somebody scrapes. */
import { millisecondsOf } from '@bivouac/events/values';

import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../../runtime/clock.ts';
import { eventsBehind } from '../../runtime/follow/lag.ts';
import type { Metrics } from '../../runtime/metrics/port.ts';
import { isPublished } from '../partition.ts';
import type { Publisher } from './publisher.ts';
import type { Relay } from './relay.ts';

export interface MeasuredRelay {
  readonly relay: Pick<Relay, 'published' | 'head'>;
  readonly publisher: Pick<Publisher, 'failures'>;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Measures a relay from now on; answers how to end that. */
export function measureRelay({ relay, publisher, store, clock, metrics }: MeasuredRelay) {
  const published = metrics.counter('relay_published_total', {});
  const failures = metrics.counter('relay_failures_total', {});
  const age = metrics.gauge('relay_age_seconds', {});
  return metrics.onScrape('relay', async () => {
    published.reach(relay.published);
    failures.reach(publisher.failures);
    age.set(await oldestUnpublished(store, relay.head, clock.now()));
  });
}

async function oldestUnpublished(
  store: EventStore,
  after: Relay['head'],
  now: number,
): Promise<number> {
  for await (const { stream, time } of eventsBehind(store, after)) {
    if (isPublished(stream)) return Math.max(0, now - millisecondsOf(time)) / 1000;
  }
  return 0;
}
