/** Billing: the catalog, accounts and their charges, rating, invoices in gapless series. */
import { TenantCreated } from '@bivouac/events/accounts';
import { billingEvents } from '@bivouac/events/billing';
import {
  AddressesAttached,
  AddressesDetached,
  ContainerDeleted,
  ContainerRunning,
} from '@bivouac/events/containers';
import { StepAsked } from '@bivouac/events/operations';
import { handler, service } from '@bivouac/infra/runtime';

import { account, plan, series } from './aggregates.ts';
import {
  AddAddresses,
  BookInvoice,
  CloseMonth,
  DefinePlan,
  EndSubscription,
  IssueInvoice,
  OpenAccount,
  RemoveAddresses,
  ReplacePlanTerms,
  RetirePlan,
  StartSubscription,
} from './api/index.ts';
import { accountStream } from './domain/account.ts';
import {
  addAddresses,
  endSubscription,
  openAccount,
  removeAddresses,
  startSubscription,
} from './domain/charges.ts';
import { bookInvoice, closeMonth } from './domain/closing.ts';
import { definePlan, planIdOf, planStream, replacePlanTerms, retirePlan } from './domain/plan.ts';
import { issueInvoice, seriesStream } from './domain/series.ts';
import { bookInvoices, issueInvoices } from './policies/invoicing.ts';
import { answerInvoice, keepAccounts } from './policies/keep-accounts.ts';
import { answerQuote } from './policies/quote.ts';
import { accountsProjection } from './projections/accounts.ts';
import { catalogProjection } from './projections/catalog.ts';
import { invoicesProjection } from './projections/invoices.ts';
import { accountBalance, accountHistory, leftovers, subscriptionList } from './queries/accounts.ts';
import { planByCode, planById, planList } from './queries/catalog.ts';
import { invoiceById, invoiceHistory, invoiceList, previewInvoice } from './queries/invoices.ts';

const onAccount = {
  stream: ({ accountId }: { readonly accountId: string }) => accountStream(accountId),
  result: () => ({}),
};

const ofTenant = ({
  accountId,
  homeId,
}: {
  readonly accountId: string;
  readonly homeId: string;
}) => ({
  tenantId: accountId,
  homeId,
});

export const billingService = service({
  name: 'billing',
  events: [
    ...billingEvents,
    TenantCreated,
    ContainerRunning,
    AddressesAttached,
    AddressesDetached,
    ContainerDeleted,
    StepAsked,
  ],
  commands: [
    handler(DefinePlan, plan, {
      stream: ({ code }) => planStream(planIdOf(code)),
      owner: () => 'platform',
      decide: definePlan,
      result: (_events, { code }) => ({ planId: planIdOf(code) }),
    }),
    handler(ReplacePlanTerms, plan, {
      stream: ({ planId }) => planStream(planId),
      decide: replacePlanTerms,
      result: (_events, { planId }) => ({ planId }),
    }),
    handler(RetirePlan, plan, {
      stream: ({ planId }) => planStream(planId),
      decide: retirePlan,
      result: (_events, { planId }) => ({ planId }),
    }),
    handler(OpenAccount, account, { ...onAccount, owner: ofTenant, decide: openAccount }),
    handler(StartSubscription, account, {
      ...onAccount,
      owner: ofTenant,
      decide: startSubscription,
    }),
    handler(AddAddresses, account, { ...onAccount, decide: addAddresses }),
    handler(RemoveAddresses, account, { ...onAccount, decide: removeAddresses }),
    handler(EndSubscription, account, { ...onAccount, decide: endSubscription }),
    handler(CloseMonth, account, { ...onAccount, decide: closeMonth }),
    handler(BookInvoice, account, { ...onAccount, decide: bookInvoice }),
    handler(IssueInvoice, series, {
      stream: ({ issuerId }) => seriesStream(issuerId),
      owner: ({ issuerId, issuerHomeId }) => ({ tenantId: issuerId, homeId: issuerHomeId }),
      decide: issueInvoice,
      result: () => ({}),
    }),
  ],
  queries: [
    planList,
    planById,
    planByCode,
    invoiceList,
    invoiceById,
    invoiceHistory,
    previewInvoice,
    accountBalance,
    accountHistory,
    subscriptionList,
    leftovers,
  ],
  projections: [catalogProjection, accountsProjection, invoicesProjection],
  policies: [keepAccounts, issueInvoices, bookInvoices],
  responders: [answerQuote, answerInvoice],
});
