// What others have written: the server's own events hold nobody up, and another program's are named.
import { describe, expect, test } from '@jest/globals';
import { readWholeLog, sampleEvent, sampleEvents } from '../contract/samples.ts';
import type { EventStore } from '../port.ts';
import { faultyServer } from './testing/faulty-server.ts';
const at = faultyServer();

describe('what is not ours', () => {
  test.each([false, true])(
    'the server’s own events are seen by nobody and hold nobody up (in transactions: %s)',
    async (apart) => {
      at.server = await at.serve(at.log, 0, { stride: 197, apart });
      at.store = await at.open(at.server.url, 'apart');
      const seen: string[] = [];
      const follower = (async () => {
        for await (const message of at.store.subscribe()) {
          if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
          if (seen.length === 6) return;
        }
      })();
      const expected: string[] = [];
      for (let i = 0; i < 6; i++) {
        const system = sampleEvents(`system ${i}`, 20, { type: '$statistics' });
        await at.log.append(`$stats-${i}`, 'no-stream', system);
        const event = sampleEvent(`ours ${i}`, { homeid: 'home-1' });
        await at.store.append(`pool-${i}`, 'no-stream', [event]);
        expected.push(event.id);
      }
      await at.log.append(
        '$stats-last',
        'no-stream',
        sampleEvents('last', 30, { type: '$statistics' }),
      );
      await follower;
      expect(seen).toEqual(expected);
      for (const limit of [1, 2, 100]) {
        expect((await readWholeLog(at.store, limit)).map((e) => e.id)).toEqual(expected);
      }
      const [last] = (await at.store.readAll({ direction: 'backwards', limit: 1 })).events;
      expect(last?.id).toBe(expected.at(-1));
      expect((await at.store.head()).position).toBe(last?.position);
      const home = await at.store.readHome('home-1', { limit: 100 });
      expect(home.events.map((e) => e.id)).toEqual(expected);
      // A checkpoint behind which only the server has written is good.
      if (last === undefined) throw new Error('no event');
      const after = { epoch: last.epoch, position: last.position, eventId: last.id };
      const [message] = await take(at.store, after);
      expect(message).toEqual({ kind: 'caught-up', head: last.position });
    },
  );
});

async function take(
  from: EventStore,
  after: { epoch: string; position: string; eventId: string },
): Promise<unknown[]> {
  for await (const message of from.subscribe({ after })) return [message];
  return [];
}
