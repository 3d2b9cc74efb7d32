// A follower sees everything once and in order, whatever becomes of the subscription or the server.
import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Fault } from '../../dev/eventstore/faults.ts';
import { readWholeLog, refusal, sampleEvents } from '../contract/samples.ts';
import { memoryEventStore } from '../memory.ts';
import { EPOCH_STREAM } from './codec.ts';
import { failing, faultyServer, portOf } from './testing/faulty-server.ts';
const at = faultyServer();

describe('a follower', () => {
  /** Follows until so many events were seen. */
  async function followed(
    total: number,
    meanwhile: (seen: number) => Promise<void>,
  ): Promise<string[]> {
    const seen: string[] = [];
    for await (const message of at.store.subscribe({ batch: 3 })) {
      if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
      if (seen.length >= total) break;
      await meanwhile(seen.length);
    }
    return seen;
  }

  test.each<[string, Fault]>([
    ['ends in order', { fault: 'end', after: 2 }],
    ['breaks', { fault: 'break', after: 2, code: status.UNAVAILABLE, details: 'gone' }],
    [
      'breaks with INTERNAL',
      { fault: 'break', after: 2, code: status.INTERNAL, details: 'broken' },
    ],
    ['goes deaf', { fault: 'stall', after: 2 }],
    ['is deaf from its beginning', { fault: 'hang', when: 'before' }],
    ['was too slow and goes on from the log', { fault: 'fell-behind', after: 2, again: 0 }],
    ['was too slow and says some once more', { fault: 'fell-behind', after: 3, again: 3 }],
    ['is refused', { ...failing(status.UNAVAILABLE, 'Server Is Not Ready'), when: 'before' }],
  ])('whose subscription %s, again and again, sees everything once', async (_, fault) => {
    at.plan = Array.from({ length: 3 }, () => ({ method: 'subscribe' as const, fault }));
    let written = 0;
    const seen = await followed(15, async (count) => {
      if (count < written || written >= 15) return;
      const expected = written === 0 ? 'no-stream' : BigInt(written - 1);
      // Written behind the back of this process, which learns of it by the subscription alone.
      await at.log.append('pool-1', expected, sampleEvents(`more ${written}`, 1));
      written += 1;
    });
    expect(seen).toEqual((await readWholeLog(at.store)).map((e) => e.id));
    expect(seen).toHaveLength(15);
  });

  test('outlives a server that is away, and a hundred and fifty of them share one subscription', async () => {
    const port = portOf(at.server);
    const followers = Array.from({ length: 150 }, async () => {
      const seen: string[] = [];
      for await (const message of at.store.subscribe()) {
        if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
        if (seen.length === 4) return seen;
      }
      return seen;
    });
    const before = sampleEvents('before', 2);
    await at.store.append('pool-1', 'no-stream', before);
    await at.server.close();
    at.server = await at.serve(at.log, port);
    const after = sampleEvents('after', 2);
    await at.log.append('pool-1', 1n, after);
    const ids = [...before, ...after].map((e) => e.id);
    for (const seen of await Promise.all(followers)) expect(seen).toEqual(ids);
    const subscriptions = at.calls.filter(({ method }) => method === 'subscribe');
    expect(subscriptions.length).toBeGreaterThan(0);
    expect(subscriptions.length).toBeLessThan(20);
    expect(subscriptions.every(({ stream }) => stream === undefined)).toBe(true);
  });

  test('stops loudly where the server comes back with another log', async () => {
    const follower = at.store.subscribe()[Symbol.asyncIterator]();
    await at.store.append('pool-1', 'no-stream', sampleEvents('followed', 3));
    for (let seen = 0; seen < 3;) {
      const step = await follower.next();
      if (step.done !== true && step.value.kind === 'events') seen += step.value.events.length;
    }
    const port = portOf(at.server);
    await at.server.close();
    // An older backup, written past the point it was taken at: the same log by name.
    const restored = memoryEventStore();
    const epoch = await at.log.readStream(EPOCH_STREAM);
    if (!epoch.exists) throw new Error('no epoch');
    await restored.append(EPOCH_STREAM, 'no-stream', epoch.events);
    await restored.append('pool-1', 'no-stream', sampleEvents('another', 5));
    at.server = await at.serve(restored, port);
    const ended = async (): Promise<void> => {
      for (;;) if ((await follower.next()).done === true) return;
    };
    expect((await refusal(ended())).code).toBe('checkpoint-mismatch');
  });
});
