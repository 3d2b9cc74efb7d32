/** Waiting for the end of a container's billing period, as an ask of an operation. */
import { PeriodEndReached } from '@bivouac/events/billing';
import type { Refusal } from '@bivouac/events/language';
import type { AskRef } from '@bivouac/events/operations';
import { policy, type PolicyContext } from '@bivouac/infra/runtime';

import { AwaitPeriodEnd } from '../api/account.ts';
import { accountStream } from '../domain/account.ts';

/** Remembers the ask until its timer; answers why not, where there is no period to wait for. */
export async function awaitEnd(
  ask: {
    readonly accountId: string;
    readonly containerId: string;
    readonly ref: AskRef;
    readonly askedAt: string;
    readonly notAfter: string;
  },
  context: PolicyContext,
): Promise<Refusal | undefined> {
  const reply = await context.execute(AwaitPeriodEnd, ask);
  return reply.ok ? undefined : reply.refusal;
}

/** The period has ended: whoever waited is answered, unless it no longer waits. */
export const answerPeriodEnds = policy({
  name: 'billing.answer-period-ends',
  on: [PeriodEndReached],
  target: (event) => accountStream(event.data.accountId),
  react: async (event, context) => {
    const { ref, endedAt, notAfter } = event.data;
    if (context.now() > notAfter) return;
    await context.answer(ref, 'billing.period-end', { outcome: 'done', result: { endedAt } });
  },
});
