/** What of the services of a process is looked up when somebody scrapes. */
import type { EventRegistry, Position } from '@bivouac/events/language';
import { millisecondsOf } from '@bivouac/events/values';

import type { EventStore } from '../event-store/port.ts';
import type { Clock } from './clock.ts';
import type { ServiceDefinition } from './definitions.ts';
import type { Follower, Timers } from './follow/index.ts';
import { type Lag, lagAfter, NO_LAG } from './follow/lag.ts';
import type { Metrics } from './metrics/port.ts';
import type { Reactions } from './react/index.ts';

export interface MeasuredHost {
  readonly metrics: Metrics;
  readonly services: readonly ServiceDefinition[];
  readonly registry: EventRegistry;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly follower: Pick<Follower, 'position' | 'counts' | 'view'>;
  readonly reactions: ReadonlyMap<string, Reactions>;
  readonly timers: Pick<Timers, 'due'>;
}

/** Measures from now on, until it is told to stop. */
export function measureHost(host: MeasuredHost): () => void {
  const { metrics } = host;
  versions(host);
  const ends = [
    metrics.onScrape('followers', () => followers(host)),
    metrics.onScrape('reactions', () => {
      reactions(host);
    }),
    metrics.onScrape('policies', () => policies(host)),
    metrics.onScrape('timers', () => {
      timers(host);
    }),
    metrics.onScrape('read models', () => {
      readModels(host);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** They stay what they are for as long as the process runs. */
function versions({ metrics, services, registry }: MeasuredHost): void {
  const types = new Set(services.flatMap(({ events }) => events.map(({ type }) => type)));
  for (const type of types) {
    const read = registry.definitions.get(type)?.version;
    const written = registry.written.get(type);
    if (read !== undefined) metrics.gauge('event_version_read', { type }).set(read);
    if (written !== undefined) metrics.gauge('event_version_written', { type }).set(written);
  }
}

async function followers(host: MeasuredHost): Promise<void> {
  const { metrics, services, store, clock, follower } = host;
  for (const { name } of services) {
    const { passed, commits } = follower.counts(name);
    metrics.counter('follower_events_total', { follower: name }).reach(passed);
    metrics.counter('commits_total', { service: name }).reach(commits);
  }
  const { position: head } = await store.head();
  // Mostly all stand at the same place: it is looked at once.
  const known = new Map<Position | null, Lag>();
  for (const { name } of services) {
    const at = follower.position(name);
    const lag =
      known.get(at) ??
      ((at ?? '') >= (head ?? '') ? NO_LAG : await lagAfter(store, at, clock.now()));
    known.set(at, lag);
    metrics.gauge('follower_lag_events', { follower: name }).set(lag.events);
    metrics.gauge('follower_lag_seconds', { follower: name }).set(lag.seconds);
  }
}

function reactions({ metrics, reactions: running }: MeasuredHost): void {
  for (const [service, one] of running) {
    const { gapsRepaired, eventsRecovered, checkpoints, parkedHomes } = one.metrics;
    metrics.counter('gaps_repaired_total', { service }).reach(gapsRepaired);
    metrics.counter('events_recovered_total', { service }).reach(eventsRecovered);
    metrics.counter('checkpoints_total', { service }).reach(checkpoints);
    metrics.gauge('parked_homes', { service }).set(parkedHomes);
    metrics.gauge('partitions_held', { service }).set(one.assigned().length);
  }
}

async function policies({ metrics, reactions: running }: MeasuredHost): Promise<void> {
  for (const one of running.values()) {
    for (const [policy, { events, seconds }] of await one.lags()) {
      metrics.gauge('policy_lag_events', { policy }).set(events);
      metrics.gauge('policy_lag_seconds', { policy }).set(seconds);
    }
  }
}

function timers({ metrics, timers: running, clock }: MeasuredHost): void {
  for (const [service, { count, since }] of running.due()) {
    const late = since === undefined ? 0 : (clock.now() - millisecondsOf(since)) / 1000;
    metrics.gauge('timers_due', { service }).set(count);
    metrics.gauge('timers_late_seconds', { service }).set(Math.max(0, late));
  }
}

function readModels({ metrics, services, follower, clock }: MeasuredHost): void {
  for (const { name, measures = [] } of services) {
    for (const measure of measures) measure(follower.view(name), clock.now(), metrics);
  }
}
