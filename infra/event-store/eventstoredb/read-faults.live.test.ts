// A read in bad hours is begun anew or fails: a part is never taken for the whole.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Fault } from '../../dev/eventstore/faults.ts';
import { refusal, sampleEvents } from '../contract/samples.ts';
import { faultyServer } from './testing/faulty-server.ts';
const at = faultyServer();

describe('a read', () => {
  beforeEach(async () => {
    await at.store.append('pool-1', 'no-stream', sampleEvents('there', 10));
  });

  test.each<[string, Fault]>([
    ['falls silent at once', { fault: 'hang', when: 'before' }],
    ['falls silent in the middle', { fault: 'stall', after: 4 }],
    [
      'breaks in the middle',
      { fault: 'break', after: 4, code: status.UNAVAILABLE, details: 'gone' },
    ],
    [
      'breaks with INTERNAL',
      { fault: 'break', after: 4, code: status.INTERNAL, details: 'broken' },
    ],
  ])('that %s is begun anew, and whole', async (_, fault) => {
    at.plan = [{ method: 'read', fault }];
    const page = await at.store.readStream('pool-1');
    expect(page.exists && page.events.map((e) => e.revision)).toEqual(
      Array.from({ length: 10 }, (__, i) => BigInt(i)),
    );
    at.plan = [{ method: 'read', fault }];
    expect((await at.store.readAll()).events).toHaveLength(10);
  });

  test('of the log that the server ends too early is not its end', async () => {
    at.always = { method: 'read', fault: { fault: 'end', after: 4 } };
    expect((await refusal(at.store.readAll())).code).toBe('unavailable');
    at.always = undefined;
    expect(await at.store.readAll()).toMatchObject({ end: true });
  });

  test('that is never answered ends, saying what to check', async () => {
    at.always = { method: 'read', fault: { fault: 'hang', when: 'before' } };
    const error = await refusal(at.store.readAll());
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('EVENT_STORE_URL');
  });

  test('of a server that says nothing of positions in streams names what is needed', async () => {
    at.always = { method: 'read', fault: { fault: 'no-positions' } };
    const error = await refusal(at.store.readStream('pool-1'));
    expect([error.code, error.message]).toEqual(['unavailable', expect.stringContaining('22.10')]);
  });
});
