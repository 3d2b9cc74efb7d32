/** What an account may ask is counted in the cache that CACHE_URL names, over every way in. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, open, type Running } from './installation.ts';

const cheap = '{ viewer { role } }';
const query = '{ containers(first: 100) { edges { node { id } } } }';

let running: Running;

beforeAll(async () => {
  running = await open({
    settings: { COST_CAPACITY: '300', COST_PER_SECOND: '10', STAFF_COST_CAPACITY: '100000' },
  });
});
afterAll(closeAll);

test('an account that asked for too much waits as long as it is told; others do not', async () => {
  const { owner, staff, clock } = running;
  expect((await owner.ask(query)).errors).toEqual([]);
  const refused = await owner.ask(query);
  expect(refused).toMatchObject({ status: 429, data: null, errors: [{ code: 'RATE_LIMITED' }] });
  expect(refused.errors[0]?.message).toContain('in 11 s');
  expect((await staff.ask(query)).errors).toEqual([]);
  expect((await owner.ask(cheap)).errors).toEqual([]);
  clock.advance(11_000);
  expect((await owner.ask(query)).errors).toEqual([]);
});

test('a mutation that was refused for that was not done, and is done when it is sent again', async () => {
  const { owner, clock, installation } = running;
  clock.advance(60_000);
  await owner.ask(query);
  await owner.ask('{ containers(first: 46) { edges { node { id } } } }');
  const before = await running.lastFact();
  await expect(running.order({}, 'limited')).rejects.toThrow('RATE_LIMITED');
  expect(await running.lastFact()).toBe(before);
  clock.advance(60_000);
  const done = await running.order({}, 'limited');
  expect(done).toMatchObject({ __typename: 'OperationAccepted', repeated: false });
  await installation.host.settled();
  const { operations } = await owner.read(
    z.object({ operations: z.object({ edges: z.array(z.unknown()) }) }),
    '{ operations(first: 5) { edges { node { id } } } }',
  );
  expect(operations.edges).toHaveLength(1);
});

test('another key of the account pays from the same bucket', async () => {
  const { owner, clock, seeded, installation } = running;
  clock.advance(60_000);
  const { key } = await owner.mutate('createApiKey', {
    accountId: seeded.customer.tenantId,
    memberId: seeded.ownerMemberId,
    label: 'another',
  });
  await installation.host.settled();
  await owner.ask(query);
  expect((await running.client(key ?? '').ask(query)).errors).toMatchObject([
    { code: 'RATE_LIMITED' },
  ]);
});
