/**
 * Runs services in this process: commands, read models, queries, reactions, timers. What a service
 * is made of is in `definitions.ts`; where its events go is in the ports handed in.
 */
import { parkingOrderEvents } from '@bivouac/events/audit';
import {
  type EventDefinition,
  type EventRegistry,
  eventRegistry,
  type Principal,
  type ServiceCaller,
} from '@bivouac/events/language';
import { operationProtocolEvents } from '@bivouac/events/operations';

import { relayEvents } from '../bus/kafka/relay-events.ts';
import type { Bus } from '../bus/port.ts';
import type { EventStore } from '../event-store/port.ts';
import { inSpan } from '../tracing/spans.ts';
import type { View, ViewStore } from '../views/index.ts';
import type { Clock } from './clock.ts';
import { commandHost } from './commands/host.ts';
import { type SnapshotFiles, StreamSnapshots } from './commands/snapshots/index.ts';
import type { EdgePorts, ServiceDefinition, TimerRow } from './definitions.ts';
import { RuntimeError } from './errors.ts';
import { Health } from './health.ts';
import { type Follower, queryHost, startFollower, startTimers } from './follow/index.ts';
import type { Logger } from './logging.ts';
import { measureHost } from './measured-host.ts';
import { type Metrics, noMetrics } from './metrics/port.ts';
import { reactionsOf } from './policies.ts';
import {
  checkpointEvents,
  type Reactions,
  seeToParkedHomes,
  startReactions,
  whenHadChance,
  whileHeld,
} from './react/index.ts';

export interface HostOptions {
  readonly services: readonly ServiceDefinition[];
  readonly store: EventStore;
  readonly bus: Bus;
  readonly views: (service: string) => ViewStore;
  readonly ports: EdgePorts;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The provider's tenant id; empty before there is one. */
  readonly providerId: () => string;
  /** Versions of events to write instead of those the release writes by itself, by type. */
  readonly written?: ReadonlyMap<string, number>;
  /** Where long streams' states are kept, so that they are not read from their beginning. */
  readonly snapshots?: SnapshotFiles;
  /**
   * Runs once the read models have caught up, before anything is answered or reacted to. Throwing ends
   * the start.
   */
  readonly caughtUp?: (view: (service: string) => View) => Promise<void>;
  /** Something that must run has stopped: the process should end. Called once. */
  readonly onFailure: (error: unknown) => void;
  /**
   * Where others than the host can fail too (the store, a bus that relays): the one place for all of
   * them, which calls back instead of `onFailure`.
   */
  readonly health?: Health;
  readonly metrics?: Metrics;
}

export interface Host extends ServiceCaller {
  readonly registry: EventRegistry;
  readonly follower: Follower;
  /** By service; for staff's parked homes, metrics and tests. */
  readonly reactions: ReadonlyMap<string, Reactions>;
  /** Read models have caught up and nothing that must run has stopped. */
  ready(): boolean;
  /**
   * Resolves when every event so far was reacted to and applied, and no timer is due: of several
   * instances, on the partitions that are here.
   */
  settled(): Promise<void>;
  /** Takes no more, finishes what is in hand up to the deadline. Safe to call twice. */
  stop(deadlineMilliseconds: number): Promise<void>;
}

/** How long a query or a candidates' read waits for a position it has not seen, in milliseconds. */
const WAIT_MILLISECONDS = 5_000;

/** All event types of these services, each once, with those of the protocol between them. */
export function eventsOf(services: readonly ServiceDefinition[]): ReadonlySet<EventDefinition> {
  return new Set([...operationProtocolEvents, ...services.flatMap(({ events }) => events)]);
}

/** The registry of these services, with the events of the runtime itself. */
export function registryOf(
  services: readonly ServiceDefinition[],
  written?: ReadonlyMap<string, number>,
): EventRegistry {
  const own = [...checkpointEvents, ...relayEvents, ...parkingOrderEvents];
  return eventRegistry([...new Set([...own, ...eventsOf(services)])], written);
}

/** Starts the services. Resolves when the read models have caught up and reactions run. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { services, store, bus, ports, clock, logger, metrics = noMetrics } = options;
  const registry = registryOf(services, options.written);
  const held = [...registry.written].filter(
    ([type, version]) => version !== registry.definitions.get(type)?.version,
  );
  if (held.length > 0) {
    logger.info(
      { versions: Object.fromEntries(held) },
      'events are written in an older version than this release reads',
    );
  }
  const health = options.health ?? new Health(options);
  const { fail } = health;

  const commands = commandHost({
    handlers: services.flatMap((service) => service.commands),
    store,
    registry,
    clock,
    ports,
    providerId: options.providerId,
    metrics,
    snapshots:
      options.snapshots && new StreamSnapshots({ files: options.snapshots, store, logger }),
  });
  const follower = startFollower({
    store,
    registry,
    services,
    views: options.views,
    clock,
    onFailure: fail,
    logger,
  });
  const queries = queryHost({
    services,
    follower,
    store,
    registry,
    ports,
    clock,
    waitMilliseconds: WAIT_MILLISECONDS,
  });
  await follower.caughtUp;
  registry.shareDecoded();
  try {
    await options.caughtUp?.((service) => follower.view(service));
  } catch (error) {
    await follower.stop();
    throw error;
  }

  const reactions = new Map<string, Reactions>();
  for (const service of services) {
    const list = reactionsOf(service, {
      host: commands,
      store,
      registry,
      clock,
      ports,
      viewAt: async (position) => {
        const applied = await follower.waitFor(service.name, position, WAIT_MILLISECONDS);
        return applied
          ? { view: follower.view(service.name), position: follower.position(service.name) }
          : undefined;
      },
    });
    if (list.length === 0) continue;
    reactions.set(
      service.name,
      await startReactions({
        service: service.name,
        reactions: list,
        bus,
        store,
        registry,
        clock,
        logger: logger.child({ service: service.name }),
        onFailure: fail,
        tenantId: options.providerId(),
        metrics,
      }),
    );
  }

  // Beside what comes new: nothing waits for it, and a home that fails again is parked again.
  for (const [service, running] of reactions) {
    await seeToParkedHomes({
      ...{ reactions: running, service, store, registry, logger: logger.child({ service }) },
      onApplied: (listener) => follower.onApplied((_position, events) => listener(events)),
    });
  }

  const timers = startTimers({
    services,
    follower,
    clock,
    logger,
    mayFire: async (service, row) => {
      // Now is past the due time, so whatever was recorded before it is at or below the head.
      const { position } = await store.head();
      if (position === null) return true;
      const own = reactions.get(service);
      const consumed =
        own === undefined ||
        (await whileHeld(own, row.homeId, (lost) => own.whenConsumed(row.homeId, position, lost)));
      if (!consumed) return false;
      const awaits = services.find(({ name }) => name === service)?.timerAwaits;
      for (const other of awaits?.(row) ?? []) {
        await whenHadChance({ reactions, store, clock }, other, row.homeId, position);
      }
      return true;
    },
    // Of several instances that one fires whose reactions have the home; without reactions, each does.
    isHere: (service, row) => reactions.get(service)?.holds(row.homeId) !== false,
    fire: (service, row) => fire(commands, service, row),
  });
  for (const running of reactions.values()) {
    running.onAssigned(() => {
      timers.wake();
    });
  }

  const endMeasuring = measureHost({
    ...{ metrics, services, registry, store, clock, follower, reactions, timers },
  });

  let stopping: Promise<void> | undefined;
  return {
    registry,
    follower,
    reactions,
    command: (contract, input, call) => commands.command(contract, input, call),
    query: (contract, input, call) =>
      inSpan({ name: `query ${contract.name}`, kind: 'internal' }, () =>
        queries.query(contract, input, call),
      ),
    ready: () => health.well && stopping === undefined,
    settled: async () => {
      for (;;) {
        const before = await store.head();
        for (const running of reactions.values()) await running.idle();
        if (before.position !== null) {
          for (const service of services) {
            await follower.waitFor(service.name, before.position, WAIT_MILLISECONDS);
          }
        }
        await timers.idle();
        const after = await store.head();
        if (!health.well) {
          throw new RuntimeError('unavailable', 'the host has failed', { cause: health.cause });
        }
        if (after.position === before.position) return;
      }
    },
    stop: (deadlineMilliseconds) =>
      (stopping ??= (async () => {
        endMeasuring();
        await timers.stop();
        await Promise.all(
          [...reactions.values()].map((running) => running.stop(deadlineMilliseconds)),
        );
        await commands.stop();
        await follower.stop();
      })()),
  };
}

async function fire(
  commands: ReturnType<typeof commandHost>,
  service: string,
  row: TimerRow,
): Promise<'done' | 'retry'> {
  const principal: Principal = {
    id: `timer:${service}`,
    kind: 'timer',
    tenantId: row.homeId,
    homeId: row.homeId,
    reach: 'all',
    rights: 'all',
    audience: 'staff',
  };
  const reply = await commands.commandByName(row.command, row.input, {
    principal,
    idempotencyKey: `${row.id}@${row.due}`,
  });
  return !reply.ok && reply.refusal.retryable === true ? 'retry' : 'done';
}

/** A principal of the host itself, for what has no person behind it (seeding, the node endpoint). */
export function systemPrincipal(id: string, tenantId: string, homeId: string): Principal {
  return { id, kind: 'system', tenantId, homeId, reach: 'all', rights: 'all', audience: 'staff' };
}
