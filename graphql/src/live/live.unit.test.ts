/** A subscription waits for its reader and for its account's bucket, and loses nothing by it. */
import { setImmediate } from 'node:timers/promises';

import { formatPosition } from '@bivouac/events/language';
import { OperationChanges } from '@bivouac/provisioning/api';
import { expect, test } from '@jest/globals';

import { setUp } from '../../test/asking.ts';

const at = '2026-04-20T12:00:00.000Z';

/** A gateway whose first operation has so many changes, and a reader of its stream. */
async function following(count: number, told = count) {
  const world = setUp();
  const { services, operations, gateway, keyOf } = world;
  const [operation] = operations;
  if (operation === undefined) throw new Error('no operation');
  const all = Array.from({ length: count }, (_, i) => ({
    revision: String(i),
    position: formatPosition(BigInt(100 + i)),
    type: 'provisioning.StepEnded',
    time: at,
  }));
  const state = { told, over: false };
  services.onQuery(OperationChanges, ({ page }) => {
    const following = all
      .slice(0, state.told)
      .filter(
        ({ revision, position }) =>
          Number(revision) > Number(page.after ?? -1) && position > (page.since ?? ''),
      );
    const changes = following.slice(0, page.limit);
    return { changes, end: changes.length === following.length, over: state.over };
  });
  const response = await gateway.yoga.fetch('http://localhost/graphql', {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization: `Bearer ${keyOf('Alpha')}`,
    },
    body: JSON.stringify({
      query: `subscription { operation(id: "${operation.id}", after: "${formatPosition(0n)}") { version } }`,
    }),
  });
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('no body');
  const decoder = new TextDecoder();
  /** The next chunk that is no sign of life; undefined at the end. */
  const read = async (): Promise<string | undefined> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      const text = decoder.decode(value);
      if (text !== ':\n\n') return text;
    }
  };
  return { ...world, operation, state, read, reader };
}

const versionIn = (text: string | undefined): string | undefined =>
  /"version":"(\d+)"/.exec(text ?? '')?.[1];

async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await setImmediate();
}

test('each answer is paid for as the request was', async () => {
  const { cache, read, state } = await following(10);
  state.over = true;
  for (let i = 0; i < 10; i++) expect(versionIn(await read())).toBe(String(i));
  expect(await read()).toBe('event: complete\ndata:\n\n');
  expect(cache.taken.map(({ cost }) => cost)).toEqual(Array.from({ length: 11 }, () => 1));
});

test('for who does not read, no more is made than fits a buffer; what is read is whole', async () => {
  const { cache, read, reader, gateway } = await following(5000);
  await turns();
  const ahead = cache.taken.length;
  await turns();
  expect(cache.taken.length).toBe(ahead);
  expect(ahead).toBeLessThan(500);
  const told: string[] = [];
  while (told.length < 1000) {
    // One chunk may hold several answers.
    for (const [, version = ''] of ((await read()) ?? '').matchAll(/"version":"(\d+)"/g)) {
      told.push(version);
    }
  }
  expect(told).toEqual(told.map((_, i) => String(i)));
  await reader.cancel();
  expect(gateway.subscriptions).toBe(0);
});

test('an empty bucket makes an answer late, not lost', async () => {
  const { cache, clock, read, state, bells, operation } = await following(3, 1);
  expect(versionIn(await read())).toBe('0');
  await turns();
  cache.refuseFor = 3000;
  state.told = 2;
  bells.ring(operation.id);
  let late: string | undefined;
  const reading = read().then((text) => (late = text));
  await turns();
  expect(late).toBeUndefined();
  cache.refuseFor = undefined;
  clock.wake();
  await reading;
  expect(versionIn(late)).toBe('1');
});

test('a reader who has all waits without asking, and is told when something has changed', async () => {
  const { state, services, bells, operation, read } = await following(5, 2);
  expect(versionIn(await read())).toBe('0');
  expect(versionIn(await read())).toBe('1');
  await turns();
  const asked = services.of(OperationChanges).length;
  await turns();
  expect(services.of(OperationChanges)).toHaveLength(asked);
  state.told = 5;
  bells.ring(operation.id);
  expect(versionIn(await read())).toBe('2');
  expect(versionIn(await read())).toBe('3');
  expect(versionIn(await read())).toBe('4');
  state.over = true;
  bells.ring(operation.id);
  expect(await read()).toBe('event: complete\ndata:\n\n');
  expect(await read()).toBeUndefined();
  expect(bells.listeners(operation.id)).toBe(0);
});

test('a bell that rings while it is being looked is not missed', async () => {
  const { services, bells, operation, read } = await following(3, 1);
  expect(versionIn(await read())).toBe('0');
  const pending = read();
  await turns();
  // The answer below was decided before the change that rings during it.
  const seen: string[] = [];
  services.onQuery(OperationChanges, async ({ page }) => {
    seen.push(page.after ?? 'none');
    if (seen.length === 1) {
      bells.ring(operation.id);
      await turns();
      return { changes: [], end: true, over: false };
    }
    const change = { revision: '1', position: formatPosition(101n), type: 'x.Y', time: at };
    return { changes: page.after === '1' ? [] : [change], end: true, over: false };
  });
  bells.ring(operation.id);
  expect(versionIn(await pending)).toBe('1');
});
