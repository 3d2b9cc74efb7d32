/**
 * Events for tests and benchmarks: of production's shape and size, and the same for the same seed.
 */
import { createHash } from 'node:crypto';
import type { NewEvent, StoredEvent } from '@bivouac/events/language';
import { EventStoreError, type EventStore, type LogPage } from '../port.ts';

/** A UUID of version 5's form, made from a name. */
function sampleUuid(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    variant + hex.slice(18, 20),
    hex.slice(20, 32),
  ].join('-');
}

/** An event named by its seed; fields can be given. */
export function sampleEvent(seed: string, fields: Partial<NewEvent> = {}): NewEvent {
  return {
    id: sampleUuid(`event ${seed}`),
    type: 'containers.ContainerRequested',
    schemaver: 1,
    time: '2026-04-10T09:00:00.000Z',
    tenantid: 'tenant_01jr8g5x7qe9z8r4m2n6t0v3w5',
    homeid: 'tenant_01jr8g5x7qe9z8r4m2n6t0v3w5',
    actorid: 'actor_01jr8g5x7qe9z8r4m2n6t0v3w6',
    correlationid: sampleUuid(`correlation ${seed}`),
    causationid: sampleUuid(`causation ${seed}`),
    commandkey: sampleUuid(`command ${seed}`),
    inputhash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
    data: Buffer.from(JSON.stringify({ name: seed })),
    ...fields,
  };
}

/** Several events, `<seed> 0` and on. */
export function sampleEvents(seed: string, count: number, fields?: Partial<NewEvent>): NewEvent[] {
  return Array.from({ length: count }, (_, i) => sampleEvent(`${seed} ${i}`, fields));
}

/** The whole log, read in pages of any size. */
export async function readWholeLog(store: EventStore, limit = 100): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const after = all.at(-1)?.position;
    const page: LogPage = await store.readAll(after === undefined ? { limit } : { after, limit });
    all.push(...page.events);
    if (page.end) return all;
  }
}

/** The event store's error a call ends with. */
export async function refusal(work: Promise<unknown>): Promise<EventStoreError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof EventStoreError) return error;
    throw error;
  }
  throw new Error('expected an EventStoreError, but the call succeeded');
}
