/**
 * One policy for all that a tree's accounts are told and asked, in the order of the log: so the ask
 * for an invoice never overtakes a charge that was recorded before it, also where a container of a
 * customer charges the reseller above it.
 */
import { TenantCreated } from '@bivouac/events/accounts';
import {
  AddressesAttached,
  AddressesDetached,
  ContainerDeleted,
  ContainerResized,
  ContainerRestored,
  ContainerRunning,
  ContainerSoftDeleted,
  OrderUndone,
} from '@bivouac/events/containers';
import { type EventOf, is } from '@bivouac/events/language';
import { type AskName, asks, StepAsked } from '@bivouac/events/operations';
import { policy, type PolicyContext, responder } from '@bivouac/infra/runtime';

import { charge, openAccount } from './charges.ts';
import { invoiceAnswer } from './invoicing.ts';
import { awaitEnd } from './period-ends.ts';

const INVOICE = 'billing.invoice';
const PERIOD_END = 'billing.period-end';
const answered: readonly AskName[] = [INVOICE, PERIOD_END];

export const keepAccounts = policy({
  name: 'billing.keep-accounts',
  on: [
    TenantCreated,
    ContainerRunning,
    ContainerResized,
    ContainerRestored,
    ContainerSoftDeleted,
    AddressesAttached,
    AddressesDetached,
    ContainerDeleted,
    OrderUndone,
    StepAsked,
  ],
  target: (event) =>
    is(event, StepAsked) && !answered.includes(event.data.ask)
      ? undefined
      : `accounts-${event.homeid}`,
  react: async (event, context) => {
    if (is(event, TenantCreated)) return openAccount(event, context);
    if (is(event, StepAsked)) return answerAsk(event, context);
    return charge(event, context);
  },
});

async function answerAsk(event: EventOf<typeof StepAsked>, context: PolicyContext): Promise<void> {
  const { ask, ref, input, notAfter, tenantId } = event.data;
  // After the deadline the operation has its `timed-out`. A month that was closed for it stays
  // closed and its invoice stands: asked again, it is the answer.
  if (!answered.includes(ask) || context.now() > notAfter) return;
  // It has come again after a crash. A month that was not over then may be now: whoever was refused has
  // told so, and nobody asks for its invoice any more.
  if ((await context.answered(ref)) !== undefined) return;
  if (ask === INVOICE) {
    const answer = await invoiceAnswer(asks[INVOICE].input.parse(input), context);
    await context.answer(ref, ask, answer);
    return;
  }
  const { containerId } = asks[PERIOD_END].input.parse(input);
  const asked = { accountId: tenantId, containerId, ref, askedAt: event.time, notAfter };
  const refusal = await awaitEnd(asked, context);
  if (refusal !== undefined) await context.answer(ref, ask, { outcome: 'refused', refusal });
}

const byPolicy = { act: () => Promise.resolve('later' as const) };

/** The policy above answers these, in their turn. */
export const answerInvoice = responder(INVOICE, byPolicy);
export const answerPeriodEnd = responder(PERIOD_END, byPolicy);
