/** Commands on tenants' accounts: what reactions and timers send, and what issuers and debtors may. */
import { AddOnAttached, CreditGranted, FeeCharged } from '@bivouac/events/billing';
import { is, type Principal } from '@bivouac/events/language';
import { handler, type LoadAggregate } from '@bivouac/infra/runtime';

import { account, plan } from '../aggregates.ts';
import {
  AddAddresses,
  AdvanceDunning,
  AttachAddOn,
  AwaitPeriodEnd,
  BookCreditNote,
  BookInvoice,
  CancelAddOn,
  ChangePlan,
  ChargeFee,
  CloseMonth,
  EndPeriodWait,
  EndSubscription,
  GrantCredit,
  OpenAccount,
  PauseDunning,
  RecordPayment,
  RemoveAddresses,
  ResumeDunning,
  ReversePayment,
  StartSubscription,
  UndoAddresses,
  VoidInvoice,
  VoidSubscriptions,
} from '../api/index.ts';
import { accountStream } from '../domain/account.ts';
import {
  addAddresses,
  awaitPeriodEnd,
  changePlan,
  endPeriodWait,
  endSubscription,
  openAccount,
  removeAddresses,
  startSubscription,
} from '../domain/charges.ts';
import { bookInvoice, closeMonth } from '../domain/closing.ts';
import { advanceDunning, pauseDunning, resumeDunning } from '../domain/dunning.ts';
import { attachAddOn, cancelAddOn, chargeFee } from '../domain/items.ts';
import {
  bookCreditNote,
  creditNoteIdOf,
  grantCredit,
  paymentIdOf,
  recordPayment,
  reversePayment,
  voidInvoice,
} from '../domain/payments.ts';
import { catalogVersions, planStream } from '../domain/plan.ts';
import { plansOf } from '../domain/renewal.ts';
import { undoAddresses, voidSubscriptions } from '../domain/undone.ts';

const stream = ({ accountId }: { readonly accountId: string }) => accountStream(accountId);
const onAccount = { stream, result: () => ({}) };

const ofTenant = ({
  accountId,
  homeId,
}: {
  readonly accountId: string;
  readonly homeId: string;
}) => ({ tenantId: accountId, homeId });

const reactions = [
  handler(OpenAccount, account, { ...onAccount, owner: ofTenant, decide: openAccount }),
  handler(StartSubscription, account, { ...onAccount, owner: ofTenant, decide: startSubscription }),
  handler(ChangePlan, account, { ...onAccount, decide: changePlan }),
  handler(AddAddresses, account, { ...onAccount, decide: addAddresses }),
  handler(RemoveAddresses, account, { ...onAccount, decide: removeAddresses }),
  handler(EndSubscription, account, { ...onAccount, decide: endSubscription }),
  handler(UndoAddresses, account, { ...onAccount, decide: undoAddresses }),
  handler(VoidSubscriptions, account, { ...onAccount, decide: voidSubscriptions }),
  handler(AwaitPeriodEnd, account, { ...onAccount, decide: awaitPeriodEnd }),
  handler(EndPeriodWait, account, { ...onAccount, decide: endPeriodWait }),
  handler(AdvanceDunning, account, { ...onAccount, decide: advanceDunning }),
  handler(CloseMonth, account, {
    ...onAccount,
    prepare: async (input, _ports, { load }) => {
      const { state } = await load(account, stream(input));
      const plans = plansOf(state).map((planId) => load(plan, planStream(planId)));
      const loaded = await Promise.all(plans);
      return { input: { ...input, versions: loaded.flatMap((one) => catalogVersions(one.state)) } };
    },
    decide: closeMonth,
  }),
  handler(BookInvoice, account, { ...onAccount, decide: bookInvoice }),
  handler(BookCreditNote, account, { ...onAccount, decide: bookCreditNote }),
];

/**
 * Says whether whoever calls acts for the tenant that invoices the account: its own reach is not
 * enough, or debtors could record their own payments.
 */
async function byIssuer<I extends { readonly accountId: string }>(
  input: I,
  _ports: unknown,
  { principal, load }: { readonly principal: Principal; readonly load: LoadAggregate },
): Promise<{ readonly input: I & { readonly byIssuer: boolean } }> {
  if (principal.reach === 'all') return { input: { ...input, byIssuer: true } };
  const { state } = await load(account, stream(input));
  const issuer = state.issuer?.id;
  const reached = issuer !== undefined && principal.reach.has(issuer);
  return { input: { ...input, byIssuer: reached } };
}

const asked = [
  handler(AttachAddOn, account, {
    stream,
    prepare: byIssuer,
    decide: attachAddOn,
    result: (events) => ({
      addOnId: events.flatMap((e) => (is(e, AddOnAttached) ? e.data.addOnId : []))[0] ?? null,
    }),
  }),
  handler(CancelAddOn, account, {
    stream,
    decide: cancelAddOn,
    result: (_events, { addOnId }) => ({ addOnId }),
  }),
  handler(ChargeFee, account, {
    stream,
    prepare: byIssuer,
    decide: chargeFee,
    result: (events) => ({
      feeId: events.flatMap((e) => (is(e, FeeCharged) ? e.data.feeId : []))[0] ?? null,
    }),
  }),
  handler(RecordPayment, account, {
    stream,
    prepare: byIssuer,
    decide: recordPayment,
    result: (_events, input) => ({ paymentId: paymentIdOf(input.accountId, input.reference) }),
  }),
  handler(ReversePayment, account, {
    stream,
    prepare: byIssuer,
    decide: reversePayment,
    result: (_events, input) => ({ paymentId: paymentIdOf(input.accountId, input.reference) }),
  }),
  handler(GrantCredit, account, {
    stream,
    prepare: byIssuer,
    decide: grantCredit,
    result: (events) => ({
      creditId: events.flatMap((e) => (is(e, CreditGranted) ? e.data.creditId : []))[0] ?? null,
    }),
  }),
  handler(VoidInvoice, account, {
    stream,
    prepare: byIssuer,
    decide: voidInvoice,
    result: (_events, { invoiceId }) => ({ invoiceId, creditNoteId: creditNoteIdOf(invoiceId) }),
  }),
  handler(PauseDunning, account, {
    stream,
    prepare: byIssuer,
    decide: pauseDunning,
    result: (_events, { accountId }) => ({ accountId }),
  }),
  handler(ResumeDunning, account, {
    stream,
    prepare: byIssuer,
    decide: resumeDunning,
    result: (_events, { accountId }) => ({ accountId }),
  }),
];

export const accountCommands = [...reactions, ...asked];
