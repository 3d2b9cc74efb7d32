/** Holds: who may place and lift them, what they stop, and that lifting undoes exactly what they did. */
import { afterEach, expect, test } from '@jest/globals';

import { closeAll, open, type Running } from './installation.ts';

afterEach(closeAll);

async function suspend(running: Running, containerId: string, kind: string) {
  const accepted = await running.staff.mutate('suspendContainer', {
    containerId,
    kind,
    reason: 'because',
  });
  expect(await running.end(accepted)).toMatchObject({ status: 'SUCCEEDED' });
  const hold = (await running.container(containerId)).holds.find((one) => one.kind === kind);
  if (hold === undefined) throw new Error('no hold stands');
  return hold.id;
}

test('suspended twice, a container runs again only when the last hold is lifted', async () => {
  const running = await open();
  const containerId = await running.running();
  const abuse = await suspend(running, containerId, 'ABUSE');
  const billing = await suspend(running, containerId, 'BILLING');
  expect(await running.container(containerId)).toMatchObject({
    lifecycle: 'RUNNING',
    observed: { state: 'STOPPED' },
  });

  const first = await running.staff.mutate('resumeContainer', { containerId, holdId: abuse });
  expect(await running.end(first)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await running.container(containerId)).toMatchObject({
    holds: [{ id: billing }],
    observed: { state: 'STOPPED' },
  });
  const last = await running.staff.mutate('resumeContainer', { containerId, holdId: billing });
  expect(await running.end(last)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await running.container(containerId)).toMatchObject({
    holds: [],
    observed: { state: 'RUNNING' },
  });
});

test('the owner can neither lift a hold of the staff nor place or lift one on the account', async () => {
  const running = await open();
  const { owner, staff, seeded } = running;
  const accountId = seeded.customer.tenantId;
  const containerId = await running.running();
  const holdId = await suspend(running, containerId, 'STAFF');

  const before = await running.lastFact();
  const lifted = await owner.mutate('resumeContainer', { containerId, holdId });
  expect(lifted).toMatchObject({ __typename: 'NotAllowed', code: 'NOT_ALLOWED' });
  expect(lifted.message).toMatch(/staff/i);
  expect(
    await owner.mutate('placeHold', { accountId, kind: 'ABUSE', reason: 'spite' }),
  ).toMatchObject({
    __typename: 'NotAllowed',
  });
  expect(
    await owner.mutate('suspendContainer', { containerId, kind: 'STAFF', reason: 'spite' }),
  ).toMatchObject({ __typename: 'NotAllowed' });
  expect(await running.lastFact()).toBe(before);
  expect(await running.container(containerId)).toMatchObject({
    holds: [{ id: holdId }],
    observed: { state: 'STOPPED' },
  });

  const held = await staff.mutate('placeHold', { accountId, kind: 'ABUSE', reason: 'spam' });
  await running.installation.host.settled();
  expect(await owner.mutate('liftHold', { accountId, holdId: held.holdId })).toMatchObject({
    __typename: 'NotAllowed',
  });
});

test('a hold on an account stops all its containers, and lifting it starts exactly those again', async () => {
  const running = await open();
  const { staff, seeded, installation } = running;
  const accountId = seeded.customer.tenantId;
  const plain = await running.running({ hostname: 'plain.example.com' });
  const suspended = await running.running({ hostname: 'suspended.example.com' });
  const own = await suspend(running, suspended, 'ABUSE');

  const placed = await staff.mutate('placeHold', { accountId, kind: 'BILLING', reason: 'unpaid' });
  expect(placed.__typename).toBe('HoldPlaced');
  await running.quiet();
  expect(await running.container(plain)).toMatchObject({
    lifecycle: 'RUNNING',
    holds: [{ kind: 'BILLING' }],
    observed: { state: 'STOPPED' },
  });
  expect((await running.container(suspended)).holds.map(({ kind }) => kind).sort()).toEqual([
    'ABUSE',
    'BILLING',
  ]);
  // It is the account's, and cannot be lifted on one container.
  const holdId = (await running.container(plain)).holds[0]?.id;
  const there = await staff.mutate('resumeContainer', { containerId: plain, holdId });
  const refused = there.operationId === undefined ? there : (await running.end(there)).error;
  expect(refused).toMatchObject({ code: 'HOLD_OF_ACCOUNT' });
  // A second of the kind is refused: there is one.
  expect(
    await staff.mutate('placeHold', { accountId, kind: 'BILLING', reason: 'again' }),
  ).toMatchObject({ __typename: 'StateConflict', code: 'HOLD_EXISTS' });

  const lifted = await staff.mutate('liftHold', { accountId, holdId: placed.holdId });
  expect(lifted.__typename).toBe('HoldLifted');
  await running.quiet();
  expect(await running.container(plain)).toMatchObject({
    holds: [],
    observed: { state: 'RUNNING' },
  });
  expect(await running.container(suspended)).toMatchObject({
    holds: [{ id: own, kind: 'ABUSE' }],
    observed: { state: 'STOPPED' },
  });
  const order = await running.order({ hostname: 'after.example.com' });
  expect(await running.end(order)).toMatchObject({ status: 'SUCCEEDED' });
  await installation.host.settled();
});

test('a container ordered while a hold falls on its account does not run on under it', async () => {
  const running = await open({ nodeUrl: 'fake:?slow=create:200' });
  const { staff, seeded } = running;
  const accepted = await running.order();
  await running.whenStep(accepted, 'build');
  await staff.mutate('placeHold', {
    accountId: seeded.customer.tenantId,
    kind: 'ABUSE',
    reason: 'stolen card',
  });
  const ended = await running.end(accepted);
  await running.quiet();
  const container = await running.container(ended.targetId);
  expect(container.holds.map(({ kind }) => kind)).toEqual(['ABUSE']);
  expect(container.observed?.state).toBe('STOPPED');
});
