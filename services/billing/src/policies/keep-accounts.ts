/**
 * One policy for all that an account is told and asked, with the account as its target: so the ask
 * for an invoice never overtakes a charge that was recorded before it.
 */
import { TenantCreated } from '@bivouac/events/accounts';
import {
  AddressesAttached,
  AddressesDetached,
  ContainerDeleted,
  ContainerRunning,
} from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { type AskInput, asks, StepAsked } from '@bivouac/events/operations';
import { policy, responder } from '@bivouac/infra/runtime';

import { accountStream } from '../domain/account.ts';
import { charge, openAccount } from './charges.ts';
import { invoiceAnswer } from './invoicing.ts';

const ASK = 'billing.invoice';

export const keepAccounts = policy({
  name: 'billing.keep-accounts',
  on: [
    TenantCreated,
    ContainerRunning,
    AddressesAttached,
    AddressesDetached,
    ContainerDeleted,
    StepAsked,
  ],
  target: (event) => {
    if (!is(event, StepAsked)) return accountStream(event.data.tenantId);
    return event.data.ask === ASK ? accountStream(inputOf(event.data.input).accountId) : '';
  },
  react: async (event, context) => {
    if (is(event, TenantCreated)) return openAccount(event, context);
    if (!is(event, StepAsked)) return charge(event, context);
    const { ask, ref, input, notAfter } = event.data;
    // After the deadline the operation has its `timed-out`. A month that was closed for it stays
    // closed and its invoice stands: asked again, it is the answer.
    if (ask !== ASK || context.now() > notAfter) return;
    await context.answer(ref, ask, await invoiceAnswer(inputOf(input), context));
  },
});

/** The policy above answers it, in its turn. */
export const answerInvoice = responder(ASK, { act: () => Promise.resolve('later' as const) });

function inputOf(input: Record<string, unknown>): AskInput<typeof ASK> {
  return asks[ASK].input.parse(input);
}
