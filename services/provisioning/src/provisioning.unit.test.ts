import { describe, expect, test } from '@jest/globals';
import { RestoreWindowEnded } from '@bivouac/events/containers';
import { OperationStarted, OverdueReservationNoted } from '@bivouac/events/provisioning';
import { ReservationOverdue } from '@bivouac/events/quotas';
import { StepAsked } from '@bivouac/events/operations';
import { deriveId, uuidOf } from '@bivouac/events/values';

import {
  CancelOperation,
  OperationById,
  Operations,
  type OperationOrder,
  ReleaseOperation,
  RetryOperation,
  StartOperation,
} from './api/index.ts';
import { customerOf, type Owners, staff, world } from './given.ts';

const tenantId = deriveId('tenant', 'customer');
const containerId = deriveId('container', 'web');
const customer = customerOf(tenantId);
const done = { outcome: 'done', result: {} } as const;
const page = { limit: 10 };

async function order(it: ReturnType<typeof world>, what: OperationOrder): Promise<string> {
  const reply = await it.command(StartOperation, { order: what, tenantId, homeId: tenantId });
  if (!reply.ok) throw new Error(reply.refusal.message);
  return reply.result.operationId;
}

const power: OperationOrder = { kind: 'power', containerId, action: 'stop' };
const remove: OperationOrder = { kind: 'terminate', containerId, reason: 'not needed' };
const silent: Owners = () => undefined;

describe('an operation, as it is read', () => {
  test('says what it waits for, who has to answer, until when, and whether it can be cancelled', async () => {
    const it = world((ask) => (ask === 'accounts.admit' ? undefined : done));
    const operationId = await order(it, { kind: 'restore', containerId });
    await it.settle();
    const waiting = await it.query(OperationById, { operationId });
    expect(waiting).toMatchObject({ progress: 0, plannedSteps: 2, cancellable: true });
    expect(waiting?.steps).toMatchObject([
      {
        ...{ name: 'admit', ask: 'accounts.admit', status: 'asked', endedAt: null },
        ...{ askedAt: '2026-05-01T09:00:00.000Z', deadline: '2026-05-01T09:01:00.000Z' },
      },
    ]);
  });

  test('cannot be cancelled any more, as it says, from where it is refused', async () => {
    const it = world(silent);
    const operationId = await order(it, power);
    expect((await it.query(OperationById, { operationId }))?.cancellable).toBe(false);
    expect(await it.command(CancelOperation, { operationId })).toMatchObject({
      refusal: { code: 'OPERATION_CANNOT_BE_CANCELLED', details: { step: 'power' } },
    });
  });

  test('is found by every filter and by several at once', async () => {
    const it = world((ask) => (ask === 'containers.power' ? done : undefined));
    const stopped = await order(it, power);
    const ending = await order(it, remove);
    await it.settle();
    const ids = async (filters: object, as = staff) =>
      (await it.query(Operations, { page, ...filters }, as)).items.map(({ node }) => node.id);
    expect(await ids({})).toEqual([stopped, ending]);
    expect(await ids({ status: 'succeeded' })).toEqual([stopped]);
    expect(await ids({ kind: 'terminate' })).toEqual([ending]);
    expect(await ids({ targetId: containerId, status: 'running' })).toEqual([ending]);
    expect(await ids({ tenantId, kind: 'power', status: 'running' })).toEqual([]);
    expect(await ids({ targetId: containerId }, customer)).toEqual([stopped, ending]);
    const other = customerOf(deriveId('tenant', 'other'));
    expect(await ids({ targetId: containerId }, other)).toEqual([]);
  });
});

describe('an operation that needs attention', () => {
  const failing: Owners = (ask) =>
    ask === 'containers.let-go'
      ? done
      : { outcome: 'failed', refusal: { code: 'NODE_FAILED', message: 'The node is down.' } };

  test('is retried, released and read by staff; its owner sees that they acted', async () => {
    const it = world(failing);
    const operationId = await order(it, remove);
    await it.settle();
    const stuck = await it.query(OperationById, { operationId }, customer);
    expect(stuck).toMatchObject({
      status: 'needs-attention',
      error: { code: 'NODE_FAILED' },
      attentionSince: '2026-05-01T09:00:00.000Z',
    });
    const reason = 'the node is back';
    expect(await it.command(RetryOperation, { operationId, reason }, customer)).toMatchObject({
      ok: false,
    });
    expect(await it.command(RetryOperation, { operationId, reason })).toMatchObject({ ok: true });
    expect((await it.query(OperationById, { operationId }))?.status).toBe('running');
    await it.settle();
    await it.command(ReleaseOperation, { operationId, reason: 'the node is lost' });
    await it.settle();
    expect(await it.query(OperationById, { operationId })).toMatchObject({
      status: 'released',
      interventions: [
        { act: 'retried', reason, actorId: staff.id },
        { act: 'released', reason: 'the node is lost' },
      ],
      leftovers: [{ step: 'destroy', ask: 'containers.destroy', input: { containerId } }],
    });
    expect(await it.query(OperationById, { operationId }, customer)).toMatchObject({
      status: 'released',
      interventions: [{ act: 'retried', reason: null }, { act: 'released' }],
      leftovers: [],
    });
  });
});

describe('what other contexts tell', () => {
  test('a container whose time to be restored has ended is terminated, once', async () => {
    const it = world(silent);
    const ended = RestoreWindowEnded({ containerId, tenantId });
    await it.happened(ended, tenantId, uuidOf('the end'));
    await it.happened(ended, tenantId, uuidOf('the end'));
    expect(await it.recorded(OperationStarted.type)).toMatchObject([
      { data: { kind: 'terminate', tenantId, target: { id: containerId } }, homeid: tenantId },
    ]);
    // Restored and deleted again: another end, another termination.
    await it.happened(ended, tenantId, uuidOf('another end'));
    expect(await it.recorded(OperationStarted.type)).toHaveLength(2);
  });

  test('an overdue reservation is given back by an operation that failed, and noted by one that did not', async () => {
    const vector = {
      ...{ containers: 1, cpuMillis: 1, addresses: 1 },
      ...{ memoryBytes: '1', diskBytes: '1' },
    };
    const overdue = (operationId: string) => {
      const ask = { operationId, step: 'reserve', attempt: 1 };
      const reservationId = deriveId('reservation', operationId);
      const notAfter = '2026-05-01T09:01:00.000Z';
      return ReservationOverdue({
        ...{ reservationId, tenantId, homeId: tenantId, vector, notAfter, ask },
      });
    };
    const it = world((ask) =>
      ask === 'containers.restore'
        ? { outcome: 'refused', refusal: { code: 'CONTAINER_GONE', message: 'Too late.' } }
        : done,
    );
    const failed = await order(it, { kind: 'restore', containerId });
    const succeeded = await order(it, power);
    await it.settle();
    for (const operationId of [failed, succeeded, deriveId('operation', 'nobody’s')]) {
      await it.happened(overdue(operationId), tenantId, uuidOf('overdue', operationId));
    }
    const asked = await it.recorded(StepAsked.type);
    expect(asked.at(-1)?.data).toMatchObject({
      ask: 'quotas.release',
      ref: { operationId: failed },
      input: { reservationId: deriveId('reservation', failed) },
    });
    expect(await it.recorded(OverdueReservationNoted.type)).toMatchObject([
      { data: { operationId: succeeded } },
    ]);
    const seen = (as = staff) => it.query(OperationById, { operationId: succeeded }, as);
    expect((await seen())?.overdueReservationIds).toHaveLength(1);
    expect((await seen(customer))?.overdueReservationIds).toEqual([]);
  });
});
