/** A parent's children: started when it says so, and told of when they end or wait for staff. */
import {
  AttentionNeeded,
  ChildStarted,
  OperationCancelled,
  OperationFailed,
  OperationReleased,
  OperationResolved,
  OperationSucceeded,
} from '@bivouac/events/provisioning';
import { policy, RuntimeError } from '@bivouac/infra/runtime';

import { RecordChild, StartChild } from '../internal.ts';

export const startChildren = policy({
  name: 'provisioning.start-child',
  on: [ChildStarted],
  target: (event) => event.data.childId,
  react: async ({ data }, context) => {
    const { operationId: parentId, childId, order, tenantId, homeId } = data;
    const reply = await context.execute(StartChild, {
      ...{ parentId, childId, order, tenantId, homeId },
    });
    if (!reply.ok)
      throw new RuntimeError('defect', `a child was refused: ${reply.refusal.message}`);
  },
});

const ends = [
  OperationSucceeded,
  OperationFailed,
  OperationCancelled,
  OperationResolved,
  OperationReleased,
  AttentionNeeded,
] as const;

const outcomes = {
  [OperationSucceeded.type]: 'succeeded',
  [OperationFailed.type]: 'failed',
  [OperationCancelled.type]: 'cancelled',
  [OperationResolved.type]: 'resolved',
  [OperationReleased.type]: 'released',
} as const;

export const recordChildren = policy({
  name: 'provisioning.record-child',
  on: ends,
  target: (event) => event.data.parentId ?? event.data.operationId,
  react: async (event, context) => {
    const { operationId: childId, parentId } = event.data;
    if (parentId === undefined) return;
    const child =
      event.type === AttentionNeeded.type
        ? { childId, outcome: 'waiting' as const, refusal: event.data.refusal }
        : {
            childId,
            outcome: outcomes[event.type],
            ...(event.type === OperationFailed.type ? { refusal: event.data.refusal } : {}),
          };
    const reply = await context.execute(RecordChild, { parentId, child });
    if (!reply.ok)
      throw new RuntimeError('defect', `a child's end was refused: ${reply.refusal.message}`);
  },
});
