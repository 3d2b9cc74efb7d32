/** What an account may ask: who pays what, and what is answered when it has asked for too much. */
import { AccountById } from '@bivouac/accounts/api';
import { RenameContainer } from '@bivouac/containers/api';
import { expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';

import { codesOf, setUp } from '../../test/asking.ts';

test('each account pays the cost of its requests from a bucket of its own', async () => {
  const { ask, cache, alpha, beta } = setUp();
  await ask('{ containers(first: 3) { edges { node { id } } } }');
  await ask('{ viewer { role } }', { as: 'Beta' });
  const limit = { capacity: 1000, refillPerSecond: 10 };
  expect(cache.taken).toEqual([
    { bucket: `graphql-cost:${alpha.id}`, cost: 7, limit },
    { bucket: `graphql-cost:${beta.id}`, cost: 1, limit },
  ]);
});

test('the staff has a larger one', async () => {
  const { ask, cache } = setUp();
  await ask('{ viewer { role } }', { as: 'Provider' });
  expect(cache.taken).toMatchObject([{ limit: { capacity: 5000, refillPerSecond: 100 } }]);
});

test('also what reads nothing costs something', async () => {
  const { ask, cache } = setUp();
  await ask('{ __typename }');
  await ask(getIntrospectionQuery());
  expect(cache.taken.map(({ cost }) => cost)).toEqual([1, 100]);
});

test('what costs more than a bucket holds takes a full one: it is late, never impossible', async () => {
  const { ask, cache } = setUp();
  const reply = await ask(
    '{ containers(first: 50) { edges { node { operations(first: 10) { edges { node { id } } } } } } }',
  );
  expect(reply.extensions['cost']).toBeGreaterThan(1000);
  expect(cache.taken.map(({ cost }) => cost)).toEqual([1000]);
});

test('an account that has asked for too much is told when to come back, and nothing is done', async () => {
  const { ask, cache, services, containers } = setUp();
  cache.refuseFor = 2001;
  const reply = await ask(
    `mutation { renameContainer(idempotencyKey: "k", input: { containerId: "${containers[0]?.id}", hostname: "a.example.com" }) { __typename } }`,
  );
  expect(reply.status).toBe(429);
  expect(reply.headers.get('retry-after')).toBe('3');
  expect(reply.data).toBeUndefined();
  expect(reply.errors).toMatchObject([
    { extensions: { code: 'RATE_LIMITED', retryable: true, retryAfter: 3, cost: 10 } },
  ]);
  expect(reply.errors[0]?.message).toContain('nothing was done');
  expect(services.of(RenameContainer)).toEqual([]);
});

test('the same request is answered when the bucket has room again', async () => {
  const { ask, cache, services } = setUp();
  cache.refuseFor = 1;
  expect(codesOf(await ask('{ viewer { account { name } } }'))).toEqual(['RATE_LIMITED']);
  expect(services.of(AccountById)).toEqual([]);
  cache.refuseFor = undefined;
  expect((await ask('{ viewer { account { name } } }')).data).toEqual({
    viewer: { account: { name: 'Alpha' } },
  });
});

test('what is refused before it runs is not paid for', async () => {
  const { ask, cache } = setUp({ maxCost: 40 });
  await ask('{ viewer {');
  await ask('{ nothing }');
  await ask('{ containers { edges { node { id } } } }');
  await ask('{ viewer { role } }', { as: 'Nobody' });
  expect(cache.taken).toEqual([]);
});

test('a defect of the counting shows as one of ours, and is logged', async () => {
  const { ask, cache, log } = setUp();
  cache.take = () => Promise.reject(new Error('no such bucket'));
  const reply = await ask('{ viewer { role } }');
  expect([reply.status, ...codesOf(reply)]).toEqual([500, 'INTERNAL']);
  expect(JSON.stringify(reply)).not.toContain('no such bucket');
  expect(log).toMatchObject([
    { level: 'error', facts: { requestId: reply.errors[0]?.extensions['requestId'] } },
  ]);
  expect(String(log[0]?.facts['err'])).toContain('no such bucket');
});
