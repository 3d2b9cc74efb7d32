/** Answers what operations ask of quotas. The ledger is that of the operation's home. */
import type { CommandReply } from '@bivouac/events/language';
import { responder, type Responder, RuntimeError } from '@bivouac/infra/runtime';

import { Release, Reserve, Transfer } from '../api/index.ts';

export const answerReserve: Responder = responder('quotas.reserve', {
  act: async ({ reservationId, tenantId, vector }, { execute }, { ref, homeId, notAfter }) => {
    const reply = await execute(Reserve, {
      reservationId,
      tenantId,
      homeId,
      vector,
      notAfter,
      ask: ref,
    });
    // The ledger opens a tenant when it hears of it, which may be a moment after its first order:
    // so this is no answer yet. The host tries again until the ask's deadline.
    if (!reply.ok && reply.refusal.code === 'TENANT_UNKNOWN') {
      throw new RuntimeError('unavailable', reply.refusal.message);
    }
    return answerOf(reply);
  },
  undo: async ({ reservationId }, { execute }, { homeId }) => {
    await execute(Release, { reservationId, homeId }, 'undo');
  },
});

export const answerTransfer: Responder = responder('quotas.transfer', {
  act: async (input, { execute }, { ref, homeId, notAfter }) => {
    const reply = await execute(Transfer, { ...input, homeId, notAfter, ask: ref });
    // What it is to replace is committed by an event that may be a moment behind.
    if (!reply.ok && reply.refusal.code === 'RESERVATION_NOT_COMMITTED') {
      throw new RuntimeError('unavailable', reply.refusal.message);
    }
    return answerOf(reply);
  },
  undo: async ({ reservationId }, { execute }, { homeId }) => {
    await execute(Release, { reservationId, homeId }, 'undo');
  },
});

/** Needs no undo: what was released stays so. */
export const answerRelease: Responder = responder('quotas.release', {
  act: async ({ reservationId }, { execute }, { homeId }) =>
    answerOf(await execute(Release, { reservationId, homeId })),
});

function answerOf(reply: CommandReply<unknown>) {
  return reply.ok
    ? ({ outcome: 'done', result: {} } as const)
    : ({ outcome: 'refused', refusal: reply.refusal } as const);
}
