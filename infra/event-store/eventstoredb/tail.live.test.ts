// What the one subscription keeps at hand is bounded, however far a follower is behind; who is slow goes
// on where it stood, and sees everything once.
import path from 'node:path';
import { expect, test } from '@jest/globals';
import type { NewEvent } from '@bivouac/events/language';
import type { EventStore } from '../port.ts';
import { readWholeLog, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { Connection } from './connection.ts';
import { Reads } from './reads.ts';
import { Tail } from './tail.ts';
import { faultyServer, patience } from './testing/faulty-server.ts';

const at = faultyServer();

/** Writes to the log behind the adapter's back, so many events at a time. */
async function write(log: EventStore, events: readonly NewEvent[], each: number): Promise<void> {
  for (let i = 0; i < events.length; i += each) {
    await log.append('pool-1', i === 0 ? 'no-stream' : BigInt(i - 1), events.slice(i, i + each));
  }
}

test.each<[string, readonly NewEvent[], number]>([
  ['many small events', sampleEvents('small', 9_000), 300],
  [
    'few large ones',
    Array.from({ length: 480 }, (_, i) =>
      sampleEvent(`large ${i}`, { data: Buffer.from(JSON.stringify('x'.repeat(60_000))) }),
    ),
    8,
  ],
])('of %s, a part is kept at hand, and it is the last of them', async (_, events, each) => {
  const { epoch } = await at.store.head();
  const url = { url: at.server.url, credentials: undefined };
  const connection = new Connection(url, patience);
  const reads = new Reads(connection, epoch, () => Promise.resolve(undefined));
  const tail = new Tail({ connection, reads, epoch, logger: undefined, watch: 60_000 });
  at.closing.push(async () => {
    await connection.close();
    await tail.ended();
  });
  const [first, ...rest] = events;
  if (first === undefined) throw new Error('no events');
  await at.log.append('pool-0', 'no-stream', [first]);
  tail.start();
  await at.called('subscribe', 1);
  await write(at.log, rest, each);
  const { position: end } = await at.log.head();
  if (end === null) throw new Error('the log is empty');
  // The last is at hand when the bell says so; none of them was asked for meanwhile.
  const { events: before } = await at.log.readAll({ direction: 'backwards', limit: 2 });
  await tail.bell.beyond(before.at(-1)?.position ?? null, undefined);
  const log = (await readWholeLog(at.log, 1_000)).map((e) => e.position);
  const since = log.find((position) => tail.recent(position, 1) !== undefined);
  const kept = tail.recent(since ?? null, Number.MAX_SAFE_INTEGER)?.events ?? [];
  expect(kept.at(-1)?.position).toBe(end);
  expect(kept.map((e) => e.position)).toEqual(log.slice(log.length - kept.length));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThanOrEqual(4_000);
  const bytes = kept.reduce((sum, e) => sum + e.data.length, 0);
  expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
});

test('a follower that stands still while the server’s buffer overflows goes on where it stood', async () => {
  at.plan = [
    { method: 'subscribe', fault: { fault: 'fell-behind', after: 32, again: 5 } },
    { method: 'subscribe', fault: { fault: 'fell-behind', after: 32, again: 0 } },
  ];
  const store = await at.open(at.server.url, path.join('slow'));
  const follower = store.subscribe({ batch: 10 })[Symbol.asyncIterator]();
  const seen: string[] = [];
  const take = async (): Promise<void> => {
    const step = await follower.next();
    if (step.done !== true && step.value.kind === 'events') {
      seen.push(...step.value.events.map((e) => e.id));
    }
  };
  await take();
  const events = sampleEvents('overflow', 6_000);
  await write(at.log, events.slice(0, 20), 10);
  while (seen.length < 5) await take();
  for (let i = 20; i < events.length; i += 20) {
    await at.log.append('pool-1', BigInt(i - 1), events.slice(i, i + 20));
  }
  while (seen.length < events.length) await take();
  expect(seen).toEqual(events.map((e) => e.id));
});
