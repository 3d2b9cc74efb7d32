// What others have written: the server's own events hold nobody up, and another program's are named.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '@bivouac/events/language';
import type { Disguise } from '../../dev/eventstore/faults.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
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

describe.each<[Disguise, RegExp]>([
  ['json', /binary content/],
  ['without metadata', /metadata/],
  ['metadata of no JSON', /metadata/],
  ['metadata of another schema', /metadata holds no text/],
  ['schemaver of no number', /schemaver/],
  ['of a transaction', /transaction/],
])('an event in a stream of ours that is another program’s: %s', (as, why) => {
  let event: StoredEvent;
  let before: StoredEvent;
  beforeEach(async () => {
    await at.store.append('pool-1', 'no-stream', sampleEvents('ours', 2, { homeid: 'home-1' }));
    await at.store.append('pool-2', 'no-stream', [sampleEvent('theirs', { homeid: 'home-1' })]);
    await at.store.append('pool-1', 1n, [sampleEvent('behind')]);
    const log = await readWholeLog(at.store);
    const found = log.find(({ stream }) => stream === 'pool-2');
    if (found === undefined || log[1] === undefined) throw new Error('no event');
    [before, event] = [log[1], found];
    at.always = { method: 'read', fault: { fault: 'foreign', event: event.id, as } };
  });

  test('is named by every read that meets it, and never passed over', async () => {
    const reads = {
      stream: at.store.readStream('pool-2'),
      streamBackwards: at.store.readStream('pool-2', { direction: 'backwards' }),
      log: at.store.readAll(),
      logBehind: at.store.readAll({ after: before.position, limit: 1 }),
      logBackwards: at.store.readAll({ direction: 'backwards' }),
      home: at.store.readHome('home-1'),
    };
    for (const [name, read] of Object.entries(reads)) {
      const error = await refusal(read);
      expect([name, error.code, error.message]).toEqual([
        name,
        'corrupt',
        expect.stringMatching(why),
      ]);
      expect(error.message).toContain(event.id);
    }
    // What stands elsewhere is read as ever.
    expect(await at.store.readStream('pool-1')).toMatchObject({ exists: true, head: 2n });
    expect((await at.store.readAll({ limit: 2 })).events).toHaveLength(2);
  });

  test('ends whoever follows, behind everything before it', async () => {
    const seen: string[] = [];
    const following = (async () => {
      for await (const message of at.store.subscribe({ batch: 2 })) {
        if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
      }
    })();
    expect(await refusal(following)).toMatchObject({ code: 'corrupt' });
    expect(seen).toEqual(sampleEvents('ours', 2).map((e) => e.id));
  });

  test('ends whoever is level when it comes by the subscription', async () => {
    at.always = undefined;
    const next = sampleEvent('live');
    at.plan = Array.from({ length: 1 }, () => ({
      method: 'subscribe' as const,
      fault: { fault: 'foreign' as const, event: next.id, as },
    }));
    const follower = at.store.subscribe()[Symbol.asyncIterator]();
    for (let level = false; !level;) {
      const step = await follower.next();
      level = step.done !== true && step.value.kind === 'caught-up';
    }
    await at.called('subscribe', 1);
    await at.log.append('pool-3', 'no-stream', [next]);
    const error = await refusal(follower.next().then(() => follower.next()));
    expect([error.code, error.message]).toEqual(['corrupt', expect.stringContaining(next.id)]);
  });
});

async function take(
  from: EventStore,
  after: { epoch: string; position: string; eventId: string },
): Promise<unknown[]> {
  for await (const message of from.subscribe({ after })) return [message];
  return [];
}
