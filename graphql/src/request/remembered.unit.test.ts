// Answers that are remembered: never another's, never older than what was asked for or told, never with
// what must not be kept.
import { ContainerById, Containers } from '@bivouac/containers/api';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { formatPosition } from '@bivouac/events/language';
import { expect, test } from '@jest/globals';

import { setUp } from '../../test/asking.ts';
import { KnownPositions } from '../live/known-positions.ts';

const at = (n: number): string => formatPosition(BigInt(n));
const LIST = '{ containers(first: 3) { edges { node { id hostname lifecycle } } } }';

class Kept {
  readonly values = new Map<string, string>();
  found = 0;
  async get(key: string): Promise<string | undefined> {
    const value = this.values.get(key);
    if (value !== undefined) this.found++;
    return value;
  }
  async set(key: string, value: string): Promise<void> {
    this.values.set(key, value);
  }
}

/** Services answer at position 100 and a little more; positions begin where a test says. */
function rig(from = at(50)) {
  const cache = new Kept();
  let now = 0;
  const positions = new KnownPositions(from, { now: () => now });
  const gateway = setUp({}, { remembered: { cache, positions } });
  const asked = (): number =>
    gateway.services.of(Containers).length + gateway.services.of(ContainerById).length;
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { ...gateway, kept: cache, positions, asked, pass };
}

test('the same query of the same key is asked once while nothing happens that concerns it', async () => {
  const { ask, asked, positions, alpha, beta } = rig();
  const first = await ask(LIST);
  const again = await ask(LIST);
  expect(asked()).toBe(1);
  expect([again.status, again.data, again.extensions]).toEqual([
    ...[200, first.data, first.extensions],
  ]);
  positions.hear([{ position: at(60), tenantid: beta.id, homeid: beta.homeId }]);
  await ask(LIST);
  expect(asked()).toBe(1);
  for (const event of [
    { position: at(61), tenantid: alpha.id, homeid: alpha.homeId },
    { position: at(62), tenantid: 'ten_below', homeid: alpha.homeId },
    { position: at(63), tenantid: PROVIDER_ID, homeid: 'node-1' },
  ]) {
    positions.hear([event]);
    const before = asked();
    await ask(LIST);
    await ask(LIST);
    expect(asked()).toBe(before + 1);
  }
});

test('each still pays, and other variables are another query', async () => {
  const { ask, asked, cache } = rig();
  const query = 'query ($n: Int) { containers(first: $n) { edges { node { id } } } }';
  const one = await ask(query, { variables: { n: 1 } });
  await ask(query, { variables: { n: 1 } });
  const two = await ask(query, { variables: { n: 2 } });
  expect(asked()).toBe(2);
  expect(two.data).not.toEqual(one.data);
  expect(cache.taken.length).toBe(3);
});

test('no key is answered what was remembered for another, and a revoked one is answered nothing', async () => {
  const { ask, asked, containers, revoked, clock } = rig();
  const id = containers[0]?.id;
  const query = `{ container(id: "${id}") { id hostname } }`;
  expect((await ask(query)).data).toMatchObject({ container: { id } });
  expect((await ask(query, { as: 'Beta' })).data).toEqual({ container: null });
  expect((await ask(query, { as: 'Provider' })).data).toMatchObject({ container: { id } });
  expect(asked()).toBe(3);
  revoked.add('Alpha');
  clock.advance(2001);
  expect((await ask(query)).status).toBe(401);
});

test('who names a position is not answered from before it', async () => {
  const { ask, asked, services } = rig();
  await ask(LIST);
  await ask(LIST, { headers: { 'x-bivouac-at-least': at(100) } });
  expect(asked()).toBe(1);
  await ask(LIST, { headers: { 'x-bivouac-at-least': at(150) } });
  expect(asked()).toBe(2);
  expect(services.of(Containers).at(-1)?.atLeast).toBe(at(150));
});

test('who has changed something, or read something newer, is not answered from before it', async () => {
  const { ask, asked, services, containers } = rig();
  await ask(LIST);
  services.onCommand(
    (await import('@bivouac/containers/api')).RenameContainer,
    ({ containerId }) => ({ containerId }),
  );
  await ask(
    `mutation { renameContainer(idempotencyKey: "k", input: { containerId: "${containers[0]?.id}", hostname: "new.example.com" }) { __typename } }`,
  );
  const before = asked();
  await ask(LIST);
  expect(asked()).toBe(before + 1);
});

test('what was read from before the last event is not kept', async () => {
  const { ask, asked, kept } = rig(at(150));
  await ask(LIST);
  await ask(LIST);
  expect(asked()).toBe(2);
  expect(kept.values.size).toBe(0);
});

test('while news may have been lost nothing is taken from memory, and what is known to be lost counts', async () => {
  const { ask, asked, positions, pass } = rig();
  await ask(LIST);
  positions.missed(undefined);
  await ask(LIST);
  expect(asked()).toBe(2);
  pass(5000);
  await ask(LIST);
  expect(asked()).toBe(2);
  positions.missed(at(70));
  await ask(LIST);
  expect(asked()).toBe(3);
});

test('personal data, what depends on the day, mutations and errors are never kept', async () => {
  const { ask, kept, containers } = rig();
  const id = containers[0]?.id;
  for (const query of [
    '{ viewer { role } }',
    '{ accounts { edges { node { id } } } }',
    `{ container(id: "${id}") { id account { name } } }`,
    `{ container(id: "${id}") { ...more } } fragment more on Container { account { contact { email } } }`,
    `{ node(id: "${id}") { id } }`,
    `{ container(id: "${id}") { plan { plan { code } } } }`,
    `{ container(id: "ctr_none") { id } }`,
    '{ __schema { queryType { name } } }',
    `mutation { renameContainer(idempotencyKey: "k", input: { containerId: "${id}", hostname: "x" }) { __typename } }`,
  ]) {
    await ask(query);
    expect([query, kept.values.size]).toEqual([query, 0]);
  }
});

test('what somebody else has written into the cache is asked for anew', async () => {
  const { ask, asked, kept } = rig();
  const first = await ask(LIST);
  for (const text of ['', '{', '[]', '{"data":{}}', '{"position":"x","data":{}}', 'null']) {
    for (const key of kept.values.keys()) kept.values.set(key, text);
    const before = asked();
    expect((await ask(LIST)).data).toEqual(first.data);
    expect(asked()).toBe(before + 1);
  }
});

test('a cache that finds nothing changes no answer', async () => {
  const { ask, asked, kept } = rig();
  const first = await ask(LIST);
  kept.values.clear();
  expect((await ask(LIST)).data).toEqual(first.data);
  expect(asked()).toBe(2);
});
