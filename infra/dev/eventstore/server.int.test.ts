// The development server is to the plain client what an EventStoreDB is, as far as it goes; what it
// does not do it refuses by name.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  NO_STREAM,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { sampleEvents } from '../../event-store/contract/samples.ts';
import { toEventData } from '../../event-store/eventstoredb/codec.ts';
import { memoryEventStore } from '../../event-store/memory.ts';
import type { EventStore } from '../../event-store/port.ts';
import { type ServedEventStore, serveEventStore } from './server.ts';

let log: EventStore;
let server: ServedEventStore;
let client: EventStoreDBClient;

beforeEach(async () => {
  log = memoryEventStore();
  server = await serveEventStore({ store: log });
  client = EventStoreDBClient.connectionString(server.url);
});
afterEach(async () => {
  await client.dispose();
  await server.close();
  await log.close();
});

const data = (seed: string, count: number, type?: string) =>
  sampleEvents(seed, count, type === undefined ? {} : { type }).map(toEventData);

test('appends by the batched way, its default, with the same answers', async () => {
  const first = await client.appendToStream('pool-1', data('a', 3), {
    expectedRevision: NO_STREAM,
  });
  expect(first.nextExpectedRevision).toBe(2n);
  const { position } = await log.head();
  expect(String(first.position?.commit)).toBe(String(Number(position)));
  const again = await client.appendToStream('pool-1', data('a', 3), {
    expectedRevision: NO_STREAM,
  });
  expect(again).toEqual(first);
  for (const [stream, expectedRevision, actualVersion] of [
    ['pool-1', 0n, 2n],
    ['pool-1', NO_STREAM, 2n],
    ['pool-2', 4n, 'no_stream'],
  ] as const) {
    const lost = client.appendToStream(stream, data('b', 1), { expectedRevision });
    await expect(lost).rejects.toThrow(WrongExpectedVersionError);
    await expect(lost).rejects.toMatchObject({ actualVersion });
  }
});

test('is found as a cluster of one that leads', async () => {
  const discovered = EventStoreDBClient.connectionString(
    server.url.replace('esdb:', 'esdb+discover:'),
  );
  await discovered.appendToStream('pool-1', data('a', 1), { expectedRevision: NO_STREAM });
  await discovered.dispose();
  expect((await log.readAll()).events).toHaveLength(1);
});

test('reads a stream from each of its ends, and the log', async () => {
  await client.appendToStream('pool-1', data('a', 5), { expectedRevision: NO_STREAM });
  const revisions = async (options: Parameters<typeof client.readStream>[1]): Promise<bigint[]> => {
    const read: bigint[] = [];
    for await (const { event } of client.readStream('pool-1', options)) {
      if (event !== undefined) read.push(event.revision);
    }
    return read;
  };
  expect(await revisions({})).toEqual([0n, 1n, 2n, 3n, 4n]);
  expect(await revisions({ fromRevision: 2n, maxCount: 2 })).toEqual([2n, 3n]);
  expect(await revisions({ fromRevision: 9n })).toEqual([]);
  expect(await revisions({ fromRevision: END, direction: BACKWARDS, maxCount: 2 })).toEqual([
    4n,
    3n,
  ]);
  expect(await revisions({ fromRevision: START, direction: BACKWARDS })).toEqual([0n]);
  const missing = async (): Promise<void> => {
    for await (const _ of client.readStream('pool-none')) return;
  };
  await expect(missing()).rejects.toThrow(StreamNotFoundError);
  const positions: bigint[] = [];
  for await (const { commitPosition } of client.readAll({
    fromPosition: { commit: 4n, prepare: 4n },
    direction: BACKWARDS,
  })) {
    if (commitPosition !== undefined) positions.push(commitPosition);
  }
  expect(positions).toEqual([3n, 2n, 1n]);
});

test('follows with a filter, and says how far it has looked', async () => {
  const looked: bigint[] = [];
  const subscription = client.subscribeToAll({
    filter: eventTypeFilter({
      prefixes: ['wanted.'],
      maxSearchWindow: 10,
      checkpointInterval: 1,
      checkpointReached: (_, position) => {
        looked.push(position.commit);
      },
    }),
  });
  await client.appendToStream('pool-1', data('a', 25), { expectedRevision: NO_STREAM });
  await client.appendToStream('pool-2', data('b', 1, 'wanted.Happened'), {
    expectedRevision: NO_STREAM,
  });
  for await (const { event } of subscription) {
    expect([event?.type, event?.streamId]).toEqual(['wanted.Happened', 'pool-2']);
    break;
  }
  expect(looked).toEqual([10n, 20n]);
});

/** Revisions that are left of a stream. */
async function left(stream: string): Promise<bigint[]> {
  const read: bigint[] = [];
  for await (const { event } of client.readStream(stream)) {
    if (event !== undefined) read.push(event.revision);
  }
  return read;
}

test('soft-deletes: the stream is missing, and numbering goes on where it ended', async () => {
  await client.appendToStream('pool-1', data('a', 3), { expectedRevision: NO_STREAM });
  const wrong = client.deleteStream('pool-1', { expectedRevision: 7n });
  await expect(wrong).rejects.toThrow(WrongExpectedVersionError);
  await client.deleteStream('pool-1', { expectedRevision: 2n });
  await expect(left('pool-1')).rejects.toThrow(StreamNotFoundError);
  // What was there is known when it is sent again, and nothing else is.
  const again = await client.appendToStream('pool-1', data('a', 3), {
    expectedRevision: NO_STREAM,
  });
  expect(again.nextExpectedRevision).toBe(2n);
  await expect(left('pool-1')).rejects.toThrow(StreamNotFoundError);
  const anew = await client.appendToStream('pool-1', data('b', 2), {
    expectedRevision: NO_STREAM,
  });
  expect(anew.nextExpectedRevision).toBe(4n);
  expect(await left('pool-1')).toEqual([3n, 4n]);
});

test('truncates by a stream’s metadata, which is a stream of its own', async () => {
  await client.appendToStream('pool-1', data('a', 6), { expectedRevision: NO_STREAM });
  await client.setStreamMetadata('pool-1', { maxCount: 2 });
  expect(await left('pool-1')).toEqual([4n, 5n]);
  const { metadata } = await client.getStreamMetadata('pool-1');
  expect(metadata).toEqual({ maxCount: 2 });
  await client.setStreamMetadata('pool-1', { truncateBefore: 3 });
  expect(await left('pool-1')).toEqual([3n, 4n, 5n]);
  await client.setStreamMetadata('pool-1', { truncateBefore: 6 });
  expect(await left('pool-1')).toEqual([]);
  await client.setStreamMetadata('pool-1', {});
  expect(await left('pool-1')).toHaveLength(6);
});

test('keeps a tombstone for ever, on either way of appending', async () => {
  await client.appendToStream('pool-1', data('a', 2), { expectedRevision: NO_STREAM });
  await client.tombstoneStream('pool-1', { expectedRevision: 1n });
  await expect(left('pool-1')).rejects.toThrow(StreamDeletedError);
  for (const credentials of [undefined, { username: 'a', password: 'b' }]) {
    const late = client.appendToStream('pool-1', data('b', 1), {
      expectedRevision: NO_STREAM,
      ...(credentials && { credentials }),
    });
    await expect(late).rejects.toThrow(StreamDeletedError);
  }
  await expect(client.tombstoneStream('pool-1')).rejects.toThrow(StreamDeletedError);
  const types: string[] = [];
  for await (const { event } of client.readAll()) {
    if (event?.streamId === 'pool-1') types.push(`${event.revision} ${event.type}`);
  }
  expect(types.at(-1)).toBe(`${2n ** 63n - 1n} $streamDeleted`);
});

test('refuses what it does not do, by name', async () => {
  const credentials = { username: 'a', password: 'b' };
  const options = { expectedRevision: NO_STREAM, credentials } as const;
  const json = jsonEvent({ type: 'a.B', data: {} });
  await expect(client.appendToStream('pool-1', json, options)).rejects.toThrow(/octet-stream/);
  const [event] = data('a', 1);
  if (event === undefined) throw new Error('no event');
  const foreign = { ...event, metadata: { any: 'thing' } };
  await expect(client.appendToStream('pool-1', foreign, options)).rejects.toThrow(/envelope/);
  const any = client.appendToStream('pool-1', event, { ...options, expectedRevision: 'any' });
  await expect(any).rejects.toThrow(/exact expected revision/);
});
