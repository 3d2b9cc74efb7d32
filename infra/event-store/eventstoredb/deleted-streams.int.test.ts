// What somebody else deleted or truncated is missing, damaged or deleted, and never a shorter stream.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { EventStoreDBClient } from '@eventstore/db-client';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { faultyServer } from './testing/faulty-server.ts';
const at = faultyServer();

describe('a stream that somebody else deleted or truncated', () => {
  let other: EventStoreDBClient;
  beforeEach(async () => {
    other = EventStoreDBClient.connectionString(at.server.url);
    at.closing.push(() => other.dispose());
    await at.store.append('pool-1', 'no-stream', sampleEvents('old', 4));
  });

  test('softly is missing; what is appended then has the number that the server gave it', async () => {
    await other.deleteStream('pool-1');
    expect(await at.store.readStream('pool-1')).toEqual({ exists: false });
    expect(await at.store.readStream('pool-1', { direction: 'backwards' })).toEqual({
      exists: false,
    });
    const anew = sampleEvents('new', 2);
    const result = await at.store.append('pool-1', 'no-stream', anew);
    expect(result.revision).toBe(5n);
    expect((await at.store.readAll({ direction: 'backwards', limit: 1 })).events[0]).toMatchObject({
      revision: 5n,
      position: result.position,
    });
    // The log still has everything, and nothing of the server's own.
    expect(await readWholeLog(at.store)).toHaveLength(6);
    expect((await refusal(at.store.readStream('pool-1'))).code).toBe('corrupt');
  });

  test.each([
    ['some', { truncateBefore: 2 }],
    ['all', { truncateBefore: 4 }],
    ['all but one', { maxCount: 1 }],
  ])('of %s of its events is damaged, and never taken for a shorter one', async (_, metadata) => {
    await other.setStreamMetadata('pool-1', metadata);
    for (const options of [{}, { limit: 1 }, { direction: 'backwards' } as const]) {
      const error = await refusal(at.store.readStream('pool-1', options));
      expect([error.code, error.message]).toEqual(['corrupt', expect.stringContaining('pool-1')]);
    }
    await other.setStreamMetadata('pool-1', {});
    expect(await at.store.readStream('pool-1')).toMatchObject({ exists: true, head: 3n });
  });

  test('for ever is deleted, to whoever reads, appends or sends again', async () => {
    await other.tombstoneStream('pool-1');
    const attempts = [
      at.store.readStream('pool-1'),
      at.store.append('pool-1', 3n, [sampleEvent('next')]),
      at.store.append('pool-1', 'no-stream', sampleEvents('old', 4)),
    ];
    for (const attempt of attempts) expect((await refusal(attempt)).code).toBe('deleted');
    expect(await readWholeLog(at.store)).toHaveLength(4);
    await at.store.append('pool-2', 'no-stream', [sampleEvent('elsewhere')]);
  });
});
