// In a cluster the leader changes, dies and is missed: the adapter follows it by gossip and by what
// servers answer; an append is there once or not at all, and a follower sees everything once.
import { expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import type { ServedCluster } from '../../dev/eventstore/cluster.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { EventStoreError, type EventStore, type ExpectedRevision } from '../port.ts';
import { failing, faultyServer } from './testing/faulty-server.ts';

const at = faultyServer();

/** Follows from the beginning until the signal; what was seen is in the array as it comes. */
function following(store: EventStore, signal: AbortSignal) {
  const seen: string[] = [];
  let wake = (): void => undefined;
  const running = (async () => {
    for await (const message of store.subscribe({ batch: 7, signal })) {
      if (message.kind === 'events') seen.push(...message.events.map((e) => e.id));
      wake();
    }
  })();
  const until = async (count: number): Promise<void> => {
    while (seen.length < count) {
      const more = new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([more, running]);
    }
  };
  return { seen, running, until };
}

test('who leads is learnt from gossip, and again when it changes', async () => {
  const cluster = await at.cluster(2);
  cluster.lead(1);
  const store = await at.open(cluster.url, 'clustered');
  await store.append('pool-1', 'no-stream', [sampleEvent('first')]);
  cluster.lead(0);
  await store.append('pool-1', 0n, [sampleEvent('second')]);
  await cluster.end(1);
  await store.append('pool-1', 1n, [sampleEvent('third')]);
  expect((await readWholeLog(store)).map((e) => e.revision)).toEqual([0n, 1n, 2n]);
});

test('a follower goes on where the leader that it was served by is gone, without gap or repetition', async () => {
  const cluster = await at.cluster(2);
  const store = await at.open(cluster.url, 'clustered');
  const stop = new AbortController();
  const { seen, running, until } = following(store, stop.signal);
  let written = 0;
  for (let change = 0; change < 4; change++) {
    for (let i = 0; i < 5; i++) {
      const expected = written === 0 ? 'no-stream' : BigInt(written - 1);
      // Behind the back of this process, which learns of it by the subscription alone.
      await at.log.append('pool-1', expected, [sampleEvent(`event ${written}`)]);
      written += 1;
    }
    await until(written);
    const old = cluster.leader ?? 0;
    cluster.lead(1 - old);
    await cluster.end(old);
    await cluster.begin(old);
  }
  stop.abort();
  await running;
  expect(seen).toEqual(sampleIds('event', written));
});

test('an append that its leader never replicated, because it was deposed, is written by the next one', async () => {
  const cluster = await at.cluster(2);
  const store = await at.open(cluster.url, 'clustered');
  at.plan = [
    { method: 'append', fault: { fault: 'unreplicated', becomes: Promise.resolve('lost') } },
  ];
  const events = sampleEvents('deposed', 3);
  const appending = store.append('pool-1', 'no-stream', events);
  await at.called('append', 1);
  cluster.lead(1);
  expect((await appending).revision).toBe(2n);
  expect((await readWholeLog(store)).map((e) => e.id)).toEqual(events.map((e) => e.id));
});

test.each(['kept', 'lost'] as const)(
  'the same append sent again before the first was replicated is dropped silently; first %s, it is there once',
  async (outcome) => {
    let decide: (how: 'kept' | 'lost') => void = () => undefined;
    const becomes = new Promise<'kept' | 'lost'>((resolve) => (decide = resolve));
    at.plan = [{ method: 'append', fault: { fault: 'unreplicated', becomes } }];
    const events = sampleEvents('unreplicated', 2);
    const appending = at.store.append('pool-1', 'no-stream', events);
    // The second try was not answered either, or there were no third.
    await at.called('append', 3);
    decide(outcome);
    expect((await appending).revision).toBe(1n);
    expect((await readWholeLog(at.store)).map((e) => e.id)).toEqual(events.map((e) => e.id));
  },
);

test('while nobody leads, nothing is written and reads fail; a follower waits, and never takes it for another log', async () => {
  const cluster = await at.cluster(2);
  const store = await at.open(cluster.url, 'clustered');
  const stop = new AbortController();
  const { seen, running, until } = following(store, stop.signal);
  await at.log.append('pool-1', 'no-stream', sampleEvents('before', 3));
  await until(3);
  cluster.lead(undefined);
  for (const n of [0, 1]) {
    await cluster.end(n);
    await cluster.begin(n);
  }
  const refused = [
    store.append('pool-1', 2n, [sampleEvent('refused')]),
    store.readAll(),
    store.readStream('pool-1'),
    store.head(),
  ];
  for (const call of refused) expect((await refusal(call)).code).toBe('unavailable');
  // The subscription is tried again meanwhile, and refused too.
  await at.log.append('pool-1', 2n, sampleEvents('behind', 2));
  await at.called('read', at.calls.filter(({ method }) => method === 'read').length + 6);
  cluster.lead(1);
  await until(5);
  stop.abort();
  await running;
  expect(seen).toEqual([...sampleIds('before', 3), ...sampleIds('behind', 2)]);
});

test.each([
  ['UNKNOWN', failing(status.UNKNOWN, 'Exception was thrown by handler.')],
  ['UNKNOWN as nobody leads', failing(status.UNKNOWN, 'No leader info available in response')],
])('a read that fails with %s says nothing of what stands there', async (_, kind) => {
  await at.store.append('pool-1', 'no-stream', sampleEvents('there', 3));
  const last = (await readWholeLog(at.store)).at(-1);
  if (last === undefined) throw new Error('no event');
  const after = { epoch: last.epoch, position: last.position, eventId: last.id };
  at.plan = Array.from({ length: 2 }, () => ({
    method: 'read' as const,
    fault: { ...kind, when: 'before' as const },
  }));
  const first = await at.store.subscribe({ after })[Symbol.asyncIterator]().next();
  expect(first.value).toEqual({ kind: 'caught-up', head: last.position });
  at.always = { method: 'read', fault: { ...kind, when: 'before' } };
  expect((await refusal(at.store.readAll({ after: last.position }))).code).toBe('unavailable');
});

test('a place where nothing stands is told as servers of several versions tell it', async () => {
  await at.store.append('pool-1', 'no-stream', sampleEvents('there', 3));
  const [first] = await readWholeLog(at.store);
  if (first === undefined) throw new Error('no event');
  for (const kind of [
    failing(status.INVALID_ARGUMENT, 'Trying to read from an invalid position.'),
    failing(status.UNKNOWN, 'Unexpected ReadAllResult: Error'),
  ]) {
    // Once from there, once for the event before it: then the index of homes knows.
    const fault = { ...kind, when: 'before' as const };
    at.plan = [
      { method: 'read', fault },
      { method: 'read', fault },
    ];
    const { events } = await at.store.readAll({ after: first.position });
    expect(events.map((e) => e.revision)).toEqual([1n, 2n]);
    expect(at.plan).toEqual([]);
  }
});

/** What is done to the cluster between appends. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), stream: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('change' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), n: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('nobody' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
);

test('law: whatever becomes of two servers, what was acknowledged is there once and in order, and followed so', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24 }), async (steps) => {
      run += 1;
      const cluster = await at.cluster(2);
      const store = await at.open(cluster.url, `law-${run}`);
      const stop = new AbortController();
      const { seen, running, until } = following(store, stop.signal);
      const model = new Map<string, { expected: ExpectedRevision; acked: string[] }>();
      const unknown = new Set<string>();
      const refused = new Set<string>();
      // Of one stream one behind the other, as a decider that waits for its answer; of several at once.
      const pending = new Map<string, Promise<void>>();
      for (const [i, does] of steps.entries()) {
        if (does.kind === 'append') {
          const stream = `pool-${run}-${does.stream}`;
          const book = { model, unknown, refused };
          const before = pending.get(stream) ?? Promise.resolve();
          pending.set(
            stream,
            before.then(() => appended(store, stream, `${run} ${i}`, book)),
          );
        } else await disturb(cluster, does);
      }
      cluster.lead(0);
      await cluster.begin(0);
      await cluster.begin(1);
      at.plan = [];
      await Promise.all(pending.values());
      const log = (await readWholeLog(store)).map((e) => ({ id: e.id, stream: e.stream }));
      await until(log.length);
      stop.abort();
      await running;
      const ids = log.map((e) => e.id);
      expect(seen).toEqual(ids);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [stream, { acked }] of model) {
        const there = log.filter((e) => e.stream === stream).map((e) => e.id);
        expect(there.filter((id) => !unknown.has(id))).toEqual(acked);
      }
      for (const id of refused) expect(ids).not.toContain(id);
      await store.close();
      await cluster.close();
    }),
    { numRuns: 20 },
  );
}, 180_000);

/** Appends as the model expects, and books what is known of it. */
async function appended(
  store: EventStore,
  stream: string,
  name: string,
  book: {
    readonly model: Map<string, { expected: ExpectedRevision; acked: string[] }>;
    readonly unknown: Set<string>;
    readonly refused: Set<string>;
  },
): Promise<void> {
  const known = book.model.get(stream) ?? { expected: 'no-stream' as const, acked: [] };
  const events = sampleEvents(name, 2);
  const ids = events.map((e) => e.id);
  for (;;) {
    try {
      const { revision } = await store.append(stream, known.expected, events);
      book.model.set(stream, { expected: revision, acked: [...known.acked, ...ids] });
      for (const id of ids) book.unknown.delete(id);
      return;
    } catch (error) {
      if (!(error instanceof EventStoreError)) throw error;
      if (error.code === 'unavailable') {
        // Nothing was written, unless an attempt before said that it might have been.
        for (const id of ids) if (!book.unknown.has(id)) book.refused.add(id);
        if (ids.every((id) => book.refused.has(id))) return;
      } else if (error.code === 'outcome-unknown') for (const id of ids) book.unknown.add(id);
      else throw error;
    }
  }
}

async function disturb(
  cluster: ServedCluster,
  does: { kind: 'change' } | { kind: 'nobody' } | { kind: 'lose' } | { kind: 'kill'; n: number },
): Promise<void> {
  // What was begun before gets as far as the network first.
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  if (does.kind === 'change') cluster.lead(cluster.leader === 0 ? 1 : 0);
  else if (does.kind === 'nobody') cluster.lead(undefined);
  else if (does.kind === 'lose') {
    const when = 'after' as const;
    at.plan.push({ method: 'append', fault: { ...failing(status.UNAVAILABLE, 'cut off'), when } });
  } else {
    await cluster.end(does.n);
    cluster.lead(1 - does.n);
    await cluster.begin(1 - does.n);
    await cluster.begin(does.n);
  }
}

function sampleIds(seed: string, count: number): string[] {
  return sampleEvents(seed, count).map((e) => e.id);
}
