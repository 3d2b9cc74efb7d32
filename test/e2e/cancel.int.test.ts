/** Cancelling: in the middle everything is given back, after the end it is refused. */
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import type { Client } from './client.ts';
import { closeAll, nothing, open } from './installation.ts';

afterEach(closeAll);

test('an order cancelled while its node builds is undone and leaves nothing over', async () => {
  const running = await open({ nodeUrl: 'fake:?slow=create:700' });
  const accepted = await running.order();
  await running.whenStep(accepted, 'build');
  const { operationId } = accepted;
  const cancelled = await running.owner.mutate('cancelOperation', { operationId }, 'cancel');
  expect(cancelled).toMatchObject({ __typename: 'OperationAccepted', operationId });
  // Twice is once, whether repeated or sent anew.
  const repeated = await running.owner.mutate('cancelOperation', { operationId }, 'cancel');
  expect(repeated).toMatchObject({ __typename: 'OperationAccepted', repeated: true });
  const again = await running.owner.mutate('cancelOperation', { operationId });
  expect(again.__typename).toBe('OperationAccepted');

  expect(await running.end(accepted)).toMatchObject({ status: 'CANCELLED', error: null });
  expect(await running.held()).toEqual(nothing);
});

test('cancelled before anything was asked of a node, it leaves nothing over either', async () => {
  const running = await open();
  const accepted = await running.order();
  const { operationId } = accepted;
  const cancelled = await running.owner.mutate('cancelOperation', { operationId });
  const ended = await running.end(accepted);
  if (cancelled.__typename === 'OperationAccepted') {
    expect(ended.status).toBe('CANCELLED');
    expect(await running.held()).toEqual(nothing);
  } else {
    // The order was quicker.
    expect(cancelled.code).toMatch(/^OPERATION_(ENDED|CANNOT_BE_CANCELLED)$/);
    expect(ended.status).toBe('SUCCEEDED');
  }
});

test('an operation that has ended cannot be cancelled, and stays as it is', async () => {
  const running = await open();
  const accepted = await running.order();
  const ended = await running.end(accepted);
  const { operationId } = accepted;
  const refused = await running.owner.mutate('cancelOperation', { operationId });
  expect(refused).toMatchObject({ __typename: 'StateConflict', code: 'OPERATION_ENDED' });
  expect(refused.message).toMatch(/ended/);
  expect(await running.end(accepted)).toEqual(ended);
  expect(await running.container(ended.targetId)).toMatchObject({ lifecycle: 'RUNNING' });
});

test('a suspension, which cannot be undone, is not cancelled half way', async () => {
  const running = await open({ nodeUrl: 'fake:?slow=stop:300' });
  const containerId = await running.running();
  const accepted = await running.staff.mutate('suspendContainer', {
    containerId,
    kind: 'STAFF',
    reason: 'maintenance',
  });
  const { operationId } = accepted;
  const refused = await running.staff.mutate('cancelOperation', { operationId });
  expect(refused).toMatchObject({
    code: 'OPERATION_CANNOT_BE_CANCELLED',
    path: ['input', 'operationId'],
  });
  expect(await running.end(accepted)).toMatchObject({ status: 'SUCCEEDED' });
});

test('a hold of the staff that waits for the owner’s operation is not the owner’s to call off', async () => {
  const running = await open();
  const containerId = await running.running();
  // Nothing is answered from now on: what is asked of the container stays at work on it.
  await running.installation.nodes.stop();
  const stopping = await running.owner.mutate('stopContainer', { containerId });
  await running.whenStep(stopping, 'power');
  const { operationId } = await running.staff.mutate('suspendContainer', {
    ...{ containerId, kind: 'ABUSE', reason: 'a tip' },
  });
  await running.installation.host.settled();
  const seen = async (client: Client): Promise<boolean> => {
    const { operation } = await client.read(
      z.object({
        operation: z.object({ status: z.literal('RUNNING'), viewerCanCancel: z.boolean() }),
      }),
      'query ($id: ID!) { operation(id: $id) { status viewerCanCancel } }',
      { id: operationId },
    );
    return operation.viewerCanCancel;
  };
  expect([await seen(running.owner), await seen(running.staff)]).toEqual([false, true]);
  expect(await running.owner.mutate('cancelOperation', { operationId })).toMatchObject({
    ...{ __typename: 'NotAllowed', code: 'NOT_ALLOWED', path: ['input', 'operationId'] },
  });
  expect([await seen(running.owner), await seen(running.staff)]).toEqual([false, true]);
  expect(await running.staff.mutate('cancelOperation', { operationId })).toMatchObject({
    __typename: 'OperationAccepted',
  });
});
