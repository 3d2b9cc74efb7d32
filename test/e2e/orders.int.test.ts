/** Orders that are repeated, raced and too many: exactly as many containers as were ordered and fit. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, limitOf, open, type Running } from './installation.ts';

let running: Running;
beforeAll(async () => {
  running = await open();
});
afterAll(closeAll);

const CountSchema = z.object({
  containers: z.object({ edges: z.array(z.object({ node: z.object({ lifecycle: z.string() }) })) }),
});

async function lifecycles(): Promise<string[]> {
  const { containers } = await running.owner.read(
    CountSchema,
    '{ containers(first: 100) { edges { node { lifecycle } } } }',
  );
  return containers.edges.map(({ node }) => node.lifecycle);
}

test('eight clicks at once make one container, and all are answered with the one operation', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => running.order({}, 'click')));
  expect(new Set(answers.map((answer) => answer.operationId)).size).toBe(1);
  const [first] = answers;
  if (first === undefined) throw new Error('no answer');
  expect(await running.end(first)).toMatchObject({ status: 'SUCCEEDED', progress: 100 });
  expect(await lifecycles()).toEqual(['RUNNING']);
  expect(await running.installation.nodes.instances()).toBe(1);

  // Also long after its end, and from another connection.
  expect(await running.order({}, 'click')).toMatchObject({
    operationId: first.operationId,
    repeated: true,
  });
});

test('the same key with other input is refused and does nothing', async () => {
  const before = await running.lastFact();
  const answer = await running.order({ hostname: 'other.example.com' }, 'click');
  expect(answer).toMatchObject({
    __typename: 'IdempotencyConflict',
    code: 'IDEMPOTENCY_CONFLICT',
    path: ['idempotencyKey'],
  });
  expect(await running.lastFact()).toBe(before);
});

test('100 orders at once against room for N make exactly N, and leave nothing of the others', async () => {
  const room = 23;
  const { staff, seeded } = running;
  const had = (await lifecycles()).length;
  const limited = await staff.mutate('setLimit', {
    accountId: seeded.customer.tenantId,
    limit: limitOf(had + room),
    reason: 'room for so many more',
  });
  expect(limited.__typename).toBe('LimitSet');

  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => running.order({ hostname: `vps${n}.example.com` })),
  );
  const ended = await running.ends(answers);
  const failed = ended.filter(({ status }) => status === 'FAILED');
  expect(ended.filter(({ status }) => status === 'SUCCEEDED')).toHaveLength(room);
  expect(failed).toHaveLength(100 - room);
  for (const { error } of failed) expect(error?.code).toBe('QUOTA_EXCEEDED');

  const all = had + room;
  expect((await lifecycles()).filter((lifecycle) => lifecycle === 'RUNNING')).toHaveLength(all);
  expect(await running.held()).toMatchObject({
    unansweredInstructions: 0,
    leases: all,
    placements: all,
    rosterEntries: all,
    openCharges: all,
    instances: all,
    'reserved containers': all,
    'reserved addresses': all,
    'reserved cpuMillis': all * 1000,
  });
});
