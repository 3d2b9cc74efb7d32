/** When a reservation is overdue, its operation is asked what became of it. */
import { ReservationOverdue } from '@bivouac/events/quotas';
import { policy, RuntimeError } from '@bivouac/infra/runtime';

import { AnswerOverdue } from '../internal.ts';

export const answerOverdueReservations = policy({
  name: 'provisioning.answer-overdue',
  on: [ReservationOverdue],
  target: (event) => event.data.ask?.operationId ?? event.stream,
  react: async ({ data }, context) => {
    const { reservationId, ask } = data;
    // Made by hand: its ledger's own staff see to it.
    if (ask === undefined) return;
    const { operationId } = ask;
    const reply = await context.execute(AnswerOverdue, { operationId, reservationId });
    // No such operation: nobody is left who could be asked.
    if (!reply.ok && reply.refusal.code !== 'NOT_FOUND') {
      throw new RuntimeError(
        'defect',
        `an overdue reservation was refused: ${reply.refusal.message}`,
      );
    }
  },
});
