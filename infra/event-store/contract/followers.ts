/**
 * Laws of following: nobody skips. Every follower sees the exact prefix once, or stops loudly.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatPosition, parsePosition, type StoredEvent } from '@bivouac/events/language';
import type { Checkpoint, EventStore, SubscriptionMessage } from '../port.ts';
import type { Bench } from './bench.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from './samples.ts';

export function followerLaws(bench: Bench): void {
  test('a follower gets what is there, the caught-up signal, then what comes', async () => {
    await bench.store.append('pool-1', 'no-stream', sampleEvents('there', 5));
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const message of bench.store.subscribe({ batch: 2, signal: stop.signal })) {
      if (message.kind === 'events') seen.push(...message.events.map((e) => e.position));
      else {
        const signals = seen.filter((text) => text.startsWith('caught-up')).length;
        seen.push(`caught-up ${message.head}`);
        if (signals === 0) await bench.store.append('pool-2', 'no-stream', sampleEvents('come', 2));
        else if (seen.length >= 9) stop.abort();
      }
    }
    const positions = (await readWholeLog(bench.store)).map((e) => e.position);
    // Between the two that come at once a follower may be level for a moment, and say so.
    const between = `caught-up ${positions[5]}`;
    const told = seen.filter((text, i) => text !== between || seen[i + 1] !== positions[6]);
    const [five, seven] = [positions[4], positions[6]].map((position) => `caught-up ${position}`);
    expect(told).toEqual([...positions.slice(0, 5), five, ...positions.slice(5), seven]);
  });

  test('a follower of an empty log is caught up at once and waits', async () => {
    const follower = bench.store.subscribe()[Symbol.asyncIterator]();
    expect(await follower.next()).toEqual({
      done: false,
      value: { kind: 'caught-up', head: null },
    });
    const next = follower.next();
    await bench.store.append('pool-1', 'no-stream', [sampleEvent('first')]);
    expect((await next).value).toMatchObject({ kind: 'events', events: [{ stream: 'pool-1' }] });
  });

  test('a follower resumes exclusively after its checkpoint', async () => {
    await bench.store.append('pool-1', 'no-stream', sampleEvents('a', 5));
    const { events } = await bench.store.readAll();
    for (const [i, event] of events.entries()) {
      const message = await first(bench.store, checkpointOf(event));
      if (i === 4) expect(message).toEqual({ kind: 'caught-up', head: event.position });
      else expect(message).toEqual({ kind: 'events', events: events.slice(i + 1) });
    }
  });

  test('a follower stops where the event at its checkpoint is another or missing', async () => {
    await bench.store.append('pool-1', 'no-stream', sampleEvents('a', 3));
    const { events } = await bench.store.readAll();
    const last = events.at(-1);
    if (last === undefined) throw new Error('no event');
    const good = checkpointOf(last);
    const wrong: Checkpoint[] = [
      { ...good, eventId: sampleEvent('another').id },
      { ...good, epoch: 'another' },
      { ...good, position: formatPosition(parsePosition(last.position) + 1n) },
      { ...good, position: formatPosition(0n) },
    ];
    for (const after of wrong) {
      expect((await refusal(first(bench.store, after))).code).toBe('checkpoint-mismatch');
    }
  });

  test('the signal ends a follower, whether it waits, has not begun or is aborted already', async () => {
    const aborted = bench.store.subscribe({ signal: AbortSignal.abort() });
    for await (const _ of aborted) throw new Error('delivered after the abort');

    const stop = new AbortController();
    const waiting = bench.store.subscribe({ signal: stop.signal })[Symbol.asyncIterator]();
    expect((await waiting.next()).value).toMatchObject({ kind: 'caught-up' });
    const next = waiting.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('closing the store ends its followers with `closed`', async () => {
    const follower = bench.store.subscribe()[Symbol.asyncIterator]();
    await follower.next();
    const next = refusal(follower.next());
    await bench.store.close();
    expect((await next).code).toBe('closed');
  });

  test('a follower that stands still holds nobody up and misses nothing', async () => {
    const slow = bench.store.subscribe({ batch: 10 })[Symbol.asyncIterator]();
    await slow.next();
    for (let i = 0; i < 40; i++) {
      await bench.store.append(`pool-${i}`, 'no-stream', sampleEvents(`slow ${i}`, 5));
    }
    const seen: string[] = [];
    while (seen.length < 200) {
      const step = await slow.next();
      if (step.done !== true && step.value.kind === 'events') {
        expect(step.value.events.length).toBeLessThanOrEqual(10);
        seen.push(...step.value.events.map((e) => e.id));
      }
    }
    expect(seen).toEqual((await bench.store.readAll()).events.map((e) => e.id));
  });

  test('a level follower gets every field as a read does, whatever becomes of the buffers', async () => {
    const follower = bench.store.subscribe()[Symbol.asyncIterator]();
    await follower.next();
    const seen: StoredEvent[] = [];
    for (let i = 0; i < 20; i++) {
      const events = sampleEvents(`field ${i}`, 1 + (i % 3)).map((event, n) => ({
        ...event,
        schemaver: 1 + i,
        actorid: `Müller ${i}`,
        inputhash: n === 0 ? '' : 'hash',
        data: Buffer.from(`{"text":"\u20ac ${i}"}`),
      }));
      const appended = bench.store.append(`pool-${i}`, 'no-stream', events);
      for (const { data } of events) data.fill(0);
      await appended;
      if (i % 2 === 0) continue;
      let step = await follower.next();
      while (step.done !== true && step.value.kind === 'events') {
        seen.push(...step.value.events);
        step = await follower.next();
      }
    }
    const { events } = await bench.store.readAll();
    expect(seen.map(plain)).toEqual(events.map(plain));
  });

  test('a level follower sees a re-send and a refused append not at all', async () => {
    const follower = bench.store.subscribe()[Symbol.asyncIterator]();
    await follower.next();
    const [one, two] = [sampleEvents('one', 2), sampleEvents('two', 2)];
    // Those sent at once may arrive in any order: none of them needs another of its round.
    await Promise.all([
      bench.store.append('pool-1', 'no-stream', one),
      bench.store.append('pool-1', 'no-stream', one),
    ]);
    await Promise.all([
      bench.store.append('pool-1', 'no-stream', two).catch(() => undefined),
      bench.store.append('pool-1', 1n, two),
      bench.store.append('pool-1', 0n, one.slice(1)),
      bench.store.append('pool-2', 'no-stream', two),
    ]);
    const seen: string[] = [];
    while (seen.length < 6) {
      const step = await follower.next();
      if (step.done !== true && step.value.kind === 'events') {
        seen.push(...step.value.events.map((e) => `${Number(e.position)} ${e.stream} ${e.id}`));
      }
    }
    const { events } = await bench.store.readAll();
    expect(events).toHaveLength(6);
    expect(seen).toEqual(events.map((e) => `${Number(e.position)} ${e.stream} ${e.id}`));
  });

  test('many writers, many followers stopped and resumed at random: each sees the exact prefix once', async () => {
    const plan = fc.record({
      writers: fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 }), {
        minLength: 1,
        maxLength: 8,
      }),
      followers: fc.array(
        fc.record({
          batch: fc.integer({ min: 1, max: 20 }),
          legs: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    });
    let round = 0;
    // A failure prints the seed and the path that replay it.
    await fc.assert(
      fc.asyncProperty(plan, async ({ writers, followers }) => {
        round += 1;
        const before = (await bench.store.readAll({ direction: 'backwards', limit: 1 })).events[0];
        const total = writers.flat().reduce((sum, n) => sum + n, 0);
        const start = before === undefined ? undefined : checkpointOf(before);
        const writing = writers.map(async (sizes, w) => {
          let expected: bigint | 'no-stream' = 'no-stream';
          for (const [i, size] of sizes.entries()) {
            const events = sampleEvents(`${round} ${w} ${i}`, size);
            const stream = `writer-${round}-${w}`;
            expected = (await bench.store.append(stream, expected, events)).revision;
          }
        });
        const following = followers.map((f) => followInLegs(bench.store, start, total, f));
        const [seen] = await Promise.all([Promise.all(following), Promise.all(writing)]);
        const after = before === undefined ? {} : { after: before.position };
        const page = await bench.store.readAll({ ...after, limit: 10_000 });
        const log = page.events.map((e) => `${e.position} ${e.id}`);
        expect(log).toHaveLength(total);
        for (const one of seen) expect(one).toEqual(log);
      }),
      { numRuns: 15 },
    );
  });
}

/** Follows until `total` events were seen, stopping and resuming after each leg of the plan. */
async function followInLegs(
  store: EventStore,
  start: Checkpoint | undefined,
  total: number,
  plan: { readonly batch: number; readonly legs: readonly number[] },
): Promise<string[]> {
  const seen: string[] = [];
  let after = start;
  const legs = [...plan.legs];
  while (seen.length < total) {
    const leg = legs.shift() ?? total;
    const options = { batch: plan.batch, ...(after === undefined ? {} : { after }) };
    let handled = 0;
    leg: for await (const message of store.subscribe(options)) {
      if (message.kind !== 'events') continue;
      for (const event of message.events) {
        seen.push(`${event.position} ${event.id}`);
        after = checkpointOf(event);
        handled += 1;
        if (handled === leg || seen.length === total) break leg;
      }
    }
  }
  return seen;
}

/** Bodies may be views of whatever holds them: their bytes count. */
function plain(event: StoredEvent): unknown {
  return { ...event, data: Buffer.from(event.data).toString() };
}

function checkpointOf({ epoch, position, id }: StoredEvent): Checkpoint {
  return { epoch, position, eventId: id };
}

async function first(store: EventStore, after: Checkpoint): Promise<SubscriptionMessage> {
  for await (const message of store.subscribe({ after })) return message;
  throw new Error('the subscription ended');
}
