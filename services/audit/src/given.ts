/** A host with audit alone, over a log to which tests append what other services would. */
import { PROVIDER_ID, TenantClosed, TenantRenamed } from '@bivouac/events/accounts';
import { type Decided, eventRegistry, type Principal } from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { embeddedBus } from '@bivouac/infra/bus';
import { type EventStore, memoryEventStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import {
  checkpointEvents,
  createLogger,
  type Host,
  ManualClock,
  startHost,
} from '@bivouac/infra/runtime';
import { memorySecrets } from '@bivouac/infra/secrets';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

import { RecordTrailRead, Trail, type TrailEvent } from './api/index.ts';
import { parkedHomes } from './queries/parked-homes.ts';
import { trail, type TrailBounds } from './queries/trail.ts';
import { auditService } from './service.ts';

export const START = '2026-04-10T09:00:00.000Z';
export const one = deriveId('tenant', 'one');
export const other = deriveId('tenant', 'other');
export const registry = eventRegistry([...auditService.events, ...checkpointEvents]);

/** So many minutes after the start. */
export function at(minute: number): string {
  return instantOf(Date.parse(START) + minute * 60_000);
}

export function positionText(n: number): string {
  return String(n).padStart(20, '0');
}

export const staff: Principal = {
  ...{ id: 'key_staff', kind: 'key', memberId: 'mem_staff', reach: 'all', audience: 'staff' },
  ...{ tenantId: PROVIDER_ID, homeId: PROVIDER_ID, rights: new Set(['history.read'] as const) },
};

export function ownerOf(tenantId: string): Principal {
  return {
    ...{ id: `key of ${tenantId}`, kind: 'key', audience: 'customer', homeId: tenantId, tenantId },
    ...{ reach: new Set([tenantId]), rights: new Set(['history.read'] as const) },
  };
}

const about = (tenantId: string) =>
  ({ tenantId, homeId: tenantId, kind: 'customer', parentId: PROVIDER_ID }) as const;
export const renamed = (tenantId: string, name: string): Decided =>
  TenantRenamed({ ...about(tenantId), name });
export const closed = (tenantId: string): Decided =>
  TenantClosed({ ...about(tenantId), reason: 'moved away' });

export type Question = z.input<typeof RecordTrailRead.input>;
export type Answer = Awaited<ReturnType<World['ask']>>;

export const page = { limit: 100, reverse: false };

/** The events of an answer, which must be one. */
export function itemsOf(answer: Answer): readonly TrailEvent[] {
  if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`);
  return answer.result.items.map(({ node }) => node);
}

export class World {
  readonly store: EventStore;
  readonly host: Host;
  #appended = 0;

  constructor(store: EventStore, host: Host) {
    this.store = store;
    this.host = host;
  }

  /** Without a record of the question, unless one is given. */
  ask(principal: Principal, question: Question, read?: string) {
    return this.host.query(
      Trail,
      { ...question, ...(read !== undefined && { read }) },
      { principal },
    );
  }

  record(principal: Principal, question: Question) {
    return this.host.command(RecordTrailRead, question, {
      principal,
      idempotencyKey: `read ${++this.#appended}`,
    });
  }

  /** As the gateway does it. */
  async look(question: Question, principal = staff): Promise<Answer> {
    const reply = await this.record(principal, question);
    return reply.ok ? this.ask(principal, question, reply.result.read) : reply;
  }

  /** Appends one event to a stream, as others would have; answers its position. */
  append(stream: string, event: Decided, homeId: string, more: object = {}): Promise<string> {
    return this.appendAll(stream, [event], homeId, more);
  }

  async appendAll(
    stream: string,
    events: readonly Decided[],
    homeId: string,
    more: object = {},
  ): Promise<string> {
    const known = await this.store.readStream(stream, { direction: 'backwards', limit: 1 });
    const commandkey = uuidOf('append', stream, `${++this.#appended}`);
    const { position } = await this.store.append(
      stream,
      known.exists ? known.head : 'no-stream',
      events.map((event, i) => ({
        ...registry.encode(event),
        ...{ id: uuidOf(commandkey, String(i)), type: event.type, time: START },
        ...{ tenantid: homeId, homeid: homeId, actorid: 'key_a', commandkey, inputhash: '' },
        ...{ correlationid: commandkey, causationid: commandkey },
        ...more,
      })),
    );
    return position;
  }

  stop(): Promise<void> {
    return this.host.stop(1000);
  }
}

export async function world(bounds?: TrailBounds): Promise<World> {
  const store = memoryEventStore({ epoch: 'one' });
  const clock = new ManualClock(START);
  const host = await startHost({
    services: [{ ...auditService, queries: [trail(bounds), parkedHomes()] }],
    ...{ store, clock, views: (service) => viewsOf(service), bus: embeddedBus({ store, clock }) },
    ports: {
      ...{ blobs: memoryBlobs(), keys: memoryKeys(), secrets: memorySecrets() },
      random: (bytes) => new Uint8Array(bytes),
    },
    logger: createLogger('silent'),
    providerId: () => PROVIDER_ID,
    onFailure: (error) => {
      throw error;
    },
  });
  return new World(store, host);
}

function viewsOf(_service: string) {
  const tables = auditService.projections.flatMap((projection) => projection.tables);
  return memoryViews({ tables });
}
