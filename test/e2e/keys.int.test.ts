/** A member's keys are one member's: what one began is not begun again by the next. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, open, type Running } from './installation.ts';

let running: Running;

beforeAll(async () => {
  running = await open();
});
afterAll(closeAll);

async function anotherKey(): Promise<{ readonly id: string; readonly key: string }> {
  const { owner, seeded, installation } = running;
  const made = await owner.mutate('createApiKey', {
    accountId: seeded.customer.tenantId,
    memberId: seeded.ownerMemberId,
    label: 'rotated',
  });
  await installation.host.settled();
  return { id: made.keyId ?? '', key: made.key ?? '' };
}

test('an order sent again with another key of the same member is the same order', async () => {
  const fresh = await anotherKey();
  const first = await running.order({}, 'the order');
  const again = await running.order({}, 'the order', running.client(fresh.key));
  expect(first).toMatchObject({ __typename: 'OperationAccepted', repeated: false });
  expect(again).toMatchObject({
    __typename: 'OperationAccepted',
    repeated: true,
    operationId: first.operationId,
    position: first.position,
  });
  await running.end(first);
  const { operations } = await running.owner.read(
    z.object({ operations: z.object({ edges: z.array(z.unknown()) }) }),
    '{ operations(first: 100) { edges { node { id } } } }',
  );
  expect(operations.edges).toHaveLength(1);
});

test('the same key with other input is a conflict, by whichever API key it comes', async () => {
  const fresh = running.client((await anotherKey()).key);
  await running.order({ hostname: 'a.example.com' }, 'a wish');
  const other = await running.order({ hostname: 'b.example.com' }, 'a wish', fresh);
  expect(other).toMatchObject({ __typename: 'IdempotencyConflict', path: ['idempotencyKey'] });
});

test('another member’s order by the same idempotencyKey is another order', async () => {
  const mine = await running.order({}, 'ours');
  const theirs = await running.order({}, 'ours', running.staff);
  expect(theirs).toMatchObject({ __typename: 'OperationAccepted', repeated: false });
  expect(theirs.operationId).not.toBe(mine.operationId);
});

test('the history names the key that was used', async () => {
  const fresh = await anotherKey();
  const { operationId } = await running.order({}, 'told', running.client(fresh.key));
  await running.installation.host.settled();
  const { operation } = await running.owner.read(
    z.object({
      operation: z.object({
        history: z.object({
          edges: z.array(z.object({ node: z.object({ actor: z.string() }) })),
        }),
      }),
    }),
    'query ($id: ID!) { operation(id: $id) { history(first: 1) { edges { node { actor } } } } }',
    { id: operationId },
  );
  expect(operation.history.edges[0]?.node.actor).toBe(fresh.id);
});
