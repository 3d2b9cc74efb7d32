/**
 * The workload of the store's benchmarks, the same for ours and for the limits: events of
 * production's shape and size, with ids as in production (UUIDv5, so in no order), prepared before
 * the clock starts.
 */
import { createHash } from 'node:crypto';
import type { NewEvent } from '@bivouac/events/language';

/** One event to be appended; its body is still a value, because writing it as JSON is part of the work. */
export interface BenchRow {
  readonly stream: string;
  readonly revision: number;
  readonly envelope: Omit<NewEvent, 'data'>;
  readonly body: Record<string, unknown>;
}

const EVENTS_PER_STREAM = 8;
const HOMES = 200;

/** Makes the rows of one writer, for ever: short streams one after the other, in one of 200 homes. */
export function* benchRows(writer: string): Generator<BenchRow, never, undefined> {
  for (let s = 0; ; s++) {
    const stream = `container-01k5${Math.floor(s / 1e6)}${String(s).padStart(8, '0')}${uuid(`${writer} ${s}`).slice(0, 13)}`;
    const home = `tenant_01jr8g5x7qe9z8r4m2${uuid(`${writer} ${s % HOMES}`).slice(0, 4)}`;
    for (let revision = 0; revision < EVENTS_PER_STREAM; revision++) {
      yield benchRow(stream, revision, home);
    }
  }
}

function benchRow(stream: string, revision: number, home: string): BenchRow {
  const key = `${stream} ${revision}`;
  return {
    stream,
    revision,
    envelope: {
      id: uuid(`event ${key}`),
      type: 'bench.ContainerPlaced',
      // One event in eight was written by an older release and passes an upcaster when read.
      schemaver: revision === 0 ? 1 : 2,
      time: '2026-04-10T09:00:00.000Z',
      tenantid: home,
      homeid: home,
      actorid: 'actor_01jr8g5x7qe9z8r4m2n6t0v3w6',
      correlationid: uuid(`correlation ${key}`),
      causationid: uuid(`causation ${key}`),
      commandkey: uuid(`command ${key}`),
      inputhash: createHash('sha256').update(key).digest('base64url'),
    },
    body: {
      ...(revision === 0 ? {} : { priority: 'normal' }),
      addresses: ['192.0.2.17', '2001:db8:0:17::2'],
      attempt: 1,
      container: stream,
      disk: '21474836480',
      image: 'image_01jr8g5x7qe9z8r4m2n6t0v3wa',
      labels: { purpose: 'web', tier: 'front' },
      memory: { barrier: '1073741824', limit: '1207959552' },
      name: `web-${revision}`,
      node: 'node_01jr8g5x7qe9z8r4m2n6t0v3wb',
      plan: '1000',
      processes: 4096,
    },
  };
}

function uuid(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
