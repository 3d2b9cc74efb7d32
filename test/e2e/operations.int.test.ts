/** Every kind of operation against contexts and nodes that are really there, and staff's repairs. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { operationEnd, START } from '@bivouac/all';
import { ContainerById } from '@bivouac/containers/api';
import { systemPrincipal } from '@bivouac/infra/runtime';
import {
  CancelOperation,
  OperationById,
  type OperationOrder,
  Operations,
  type OperationView,
  ReleaseOperation,
  RetryOperation,
  StartOperation,
} from '@bivouac/provisioning/api';
import type { z } from 'zod';

import { closeAll, nothing, open, type Running } from './installation.ts';

afterEach(closeAll);

function staffOf({ installation }: Running) {
  const { tenantId, homeId } = installation.provider;
  return systemPrincipal('system:staff', tenantId, homeId);
}

let sent = 0;

/** Orders for the demo customer unless told otherwise. */
async function ordered(
  running: Running,
  order: OperationOrder,
  of = running.seeded.customer,
): Promise<string> {
  const { tenantId, homeId } = of;
  const call = { principal: staffOf(running), idempotencyKey: `order ${++sent}` };
  const { host } = running.installation;
  const reply = await host.command(StartOperation, { order, tenantId, homeId }, call);
  if (!reply.ok) throw new Error(reply.refusal.message);
  return reply.result.operationId;
}

/** Orders, and waits for the end. */
async function done(
  running: Running,
  order: OperationOrder,
  of = running.seeded.customer,
): Promise<OperationView> {
  const ended = await operationEnd(running.installation, await ordered(running, order, of));
  await running.installation.host.settled();
  return ended;
}

/** Operations for which the filters hold, once there are so many. */
async function found(
  running: Running,
  filters: Omit<z.input<typeof Operations.input>, 'page'>,
  atLeast: number,
): Promise<readonly OperationView[]> {
  const { follower } = running.installation.host;
  for (;;) {
    let stop = (): void => undefined;
    const moved = new Promise<void>((resolve) => {
      stop = follower.onApplied(() => {
        resolve();
      });
    });
    const page = await running.query(Operations, { ...filters, page: { limit: 100 } });
    if (page.items.length < atLeast) await moved;
    stop();
    if (page.items.length >= atLeast) return page.items.map(({ node }) => node);
  }
}

describe('a container’s later life', () => {
  test('is ordered step by step and leaves nothing over', async () => {
    const running = await open();
    const containerId = await running.running({ extraAddresses: 1 });
    const lifecycle = async () => (await running.container(containerId)).lifecycle;
    const succeeded = { status: 'succeeded', progress: 100, cancellable: false };

    for (const [action, then] of [
      ['stop', 'STOPPED'],
      ['start', 'RUNNING'],
      ['freeze', 'FROZEN'],
      ['thaw', 'RUNNING'],
      ['restart', 'RUNNING'],
    ] as const) {
      const power = await done(running, { kind: 'power', containerId, action });
      expect(power).toMatchObject(succeeded);
      expect(await lifecycle()).toBe(then);
    }

    const resize = await done(running, {
      kind: 'resize',
      containerId,
      planCode: '2000',
      at: 'now',
    });
    expect(resize).toMatchObject(succeeded);

    const add = await done(running, { kind: 'add-address', containerId, count: 2, family: 'ipv4' });
    expect(add).toMatchObject(succeeded);

    const later = { kind: 'delete', containerId, reason: 'not needed', restoreDays: 7 } as const;
    expect(await done(running, later)).toMatchObject(succeeded);
    expect(await lifecycle()).toBe('SOFT_DELETED');
    expect(await done(running, { kind: 'restore', containerId })).toMatchObject(succeeded);
    expect(await lifecycle()).toBe('RUNNING');

    const { leaseId } = (await running.query(ContainerById, { containerId }))?.addresses[2] ?? {};
    const leaseIds = leaseId === undefined ? [] : [leaseId];
    const fewer = await done(running, { kind: 'remove-address', containerId, leaseIds });
    expect(fewer).toMatchObject(succeeded);
    expect((await running.container(containerId)).addresses).toHaveLength(3);

    const cancel = await done(running, {
      kind: 'cancel',
      containerId,
      at: 'now',
      reason: 'moving',
    });
    expect(cancel).toMatchObject(succeeded);
    expect(await running.held()).toEqual(nothing);
  });

  test('ends by itself when its time to be restored has passed', async () => {
    const running = await open();
    const containerId = await running.running();
    const order = { kind: 'delete', containerId, reason: 'not needed', restoreDays: 7 } as const;
    await done(running, order);
    running.clock.advance(8 * 86_400_000);
    const [ended] = await found(running, { targetId: containerId, kind: 'terminate' }, 1);
    expect(await operationEnd(running.installation, ended?.id ?? '')).toMatchObject({
      status: 'succeeded',
    });
    await running.installation.host.settled();
    expect(await running.held()).toEqual(nothing);
  });
});

test('notice for the end of a period can be taken back until then, and ends the container there', async () => {
  const running = await open();
  const containerId = await running.running();
  const notice = { kind: 'cancel', containerId, at: 'period-end', reason: 'moving' } as const;
  const first = await ordered(running, notice);
  const call = { principal: staffOf(running), idempotencyKey: 'taken back' };
  await running.installation.host.settled();
  await running.installation.host.command(CancelOperation, { operationId: first }, call);
  expect(await operationEnd(running.installation, first)).toMatchObject({ status: 'cancelled' });

  const second = await ordered(running, notice);
  await running.installation.host.settled();
  expect(await running.query(OperationById, { operationId: second })).toMatchObject({
    status: 'running',
    cancellable: true,
  });
  running.clock.advance(25 * 86_400_000);
  expect(await operationEnd(running.installation, second)).toMatchObject({ status: 'succeeded' });
  await running.quiet();
  expect(await running.held()).toEqual(nothing);
  // The one taken back has its answer as well, and is what it was.
  expect(await running.query(OperationById, { operationId: first })).toMatchObject({
    status: 'cancelled',
    progress: 25,
  });
});

test('a month of every account of the provider is closed by an operation each', async () => {
  const running = await open();
  const { provider } = running.installation;
  await running.anotherCustomer('second');
  const containerId = await running.running();
  running.clock.advance(40 * 86_400_000);
  const month = new Date(START).toISOString().slice(0, 7);
  const order = { kind: 'run-month', issuerId: provider.tenantId, month } as const;
  const run = await done(running, order, provider);
  expect(run).toMatchObject({ status: 'succeeded', progress: 100 });
  expect(run.children).toMatchObject({ waiting: 0, failed: 0 });
  expect(run.children?.succeeded).toBeGreaterThan(0);
  const children = await found(running, { parentId: run.id }, run.children?.total ?? 0);
  expect(children.map(({ status, kind }) => [status, kind])).toEqual(
    children.map(() => ['succeeded', 'close-month']),
  );
  const mine = children.find(({ tenantId }) => tenantId === running.seeded.customer.tenantId);
  expect(mine?.invoiceId).not.toBeNull();
  // Again: nothing is invoiced twice.
  const again = await done(running, order, provider);
  const second = await found(running, { parentId: again.id }, again.children?.total ?? 0);
  const repeated = second.find(({ tenantId }) => tenantId === running.seeded.customer.tenantId);
  expect(repeated?.invoiceId ?? mine?.invoiceId).toBe(mine?.invoiceId);
  expect(await running.knows(containerId)).toBe(true);
});

describe('an operation that needs attention', () => {
  test('is retried by staff, and released when that does not help; the container is let go', async () => {
    const running = await open({ nodeUrl: 'fake:?refuse=destroy:1' });
    const containerId = await running.running();
    const stuck = await done(running, { kind: 'terminate', containerId, reason: 'not needed' });
    expect(stuck).toMatchObject({ status: 'needs-attention', error: { code: 'NODE_FAILED' } });

    const { host } = running.installation;
    const act = (contract: typeof RetryOperation) =>
      host.command(
        contract,
        { operationId: stuck.id, reason: 'the node is back' },
        { principal: staffOf(running), idempotencyKey: `act ${++sent}` },
      );
    expect(await act(RetryOperation)).toMatchObject({ ok: true });
    expect(await operationEnd(running.installation, stuck.id)).toMatchObject({
      status: 'needs-attention',
      interventions: [{ act: 'retried' }],
    });
    expect(await act(ReleaseOperation)).toMatchObject({ ok: true });
    await host.settled();
    expect(await operationEnd(running.installation, stuck.id)).toMatchObject({
      status: 'released',
      leftovers: [{ step: 'destroy', input: { containerId } }],
    });
    await host.settled();
    // Nothing holds the container: another operation is not told that it is busy.
    const next = await done(running, { kind: 'terminate', containerId, reason: 'again' });
    expect(next.error?.code).not.toBe('CONTAINER_BUSY');
  });
});
