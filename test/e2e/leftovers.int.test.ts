// An order whose undoing the log did not take, and which staff gave up: what it left is given back when they have
// it retried.
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { alarmed } from '../alarms/alarmed.ts';
import { whileTimePasses } from '../alarms/happenings.ts';
import { closeAll } from './installation.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await closeAll();
});

const OperationSchema = z.object({
  operation: z.object({
    status: z.string(),
    leftovers: z.array(z.object({ ask: z.string() })),
    interventions: z.array(z.object({ act: z.string() })),
  }),
});

test('place and addresses of an order that staff released are given back when they have it retried', async () => {
  const { running, store } = await alarmed({
    settings: { NODE_URL: 'fake:?refuse=create:1' },
    atEnd: (end) => void ends.push(end),
  });
  const { host } = running.installation;
  const order = await running.order();
  const operationId = order.operationId ?? '';
  const read = async () => {
    const document = `query ($id: ID!) { operation(id: $id) { status leftovers { ask } interventions { act } } }`;
    return (await running.staff.read(OperationSchema, document, { id: operationId })).operation;
  };
  const act = (name: string) =>
    running.staff.mutate(name, { operationId, reason: 'the log is back' });

  await running.whenStep(order, 'build');
  const mend = store.failAppends('range', 'unavailable');
  await running.whenStep(order, 'undo-prepare-1');
  await whileTimePasses(running, 10_000, () => running.end(order));
  expect((await read()).status).toBe('NEEDS_ATTENTION');
  await act('releaseOperation');
  mend();
  await whileTimePasses(running, 1000, async () => {
    while ((await read()).status !== 'RELEASED') await host.settled();
  });
  await host.settled();
  expect((await read()).leftovers).toEqual([
    { ask: 'containers.discard' },
    { ask: 'quotas.release' },
  ]);
  expect(await running.held()).toMatchObject({ leases: 1, placements: 1 });

  expect(await act('retryOperation')).toMatchObject({ operationId });
  await host.settled();
  expect(await read()).toEqual({
    status: 'RELEASED',
    leftovers: [],
    interventions: [{ act: 'RELEASED' }, { act: 'RETRIED' }],
  });
  for (const [what, left] of Object.entries(await running.held()))
    expect([what, left]).toEqual([what, 0]);
  // There is nothing more to give back.
  expect(await act('retryOperation')).toMatchObject({ code: 'OPERATION_ENDED' });
}, 120_000);
