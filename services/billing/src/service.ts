/** Billing: the catalog, accounts and their charges, rating, invoices, payments, dunning, the books. */
import { TenantCreated } from '@bivouac/events/accounts';
import { billingEvents } from '@bivouac/events/billing';
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
import { StepAsked } from '@bivouac/events/operations';
import { service } from '@bivouac/infra/runtime';

import { accountCommands } from './commands/accounts.ts';
import { catalogCommands } from './commands/catalog.ts';
import { issuerCommands } from './commands/issuers.ts';
import { answerAccountsToClose } from './policies/runs.ts';
import { bookInvoices, issueInvoices } from './policies/invoicing.ts';
import { answerInvoice, answerPeriodEnd, keepAccounts } from './policies/keep-accounts.ts';
import { answerPeriodEnds } from './policies/period-ends.ts';
import { answerQuote } from './policies/quote.ts';
import { bookCreditNotes, issueCreditNotes } from './policies/voiding.ts';
import { accountsProjection } from './projections/accounts.ts';
import { catalogProjection } from './projections/catalog.ts';
import { chargesProjection } from './projections/charges.ts';
import { deadlinesProjection } from './projections/deadlines.ts';
import { invoicesProjection } from './projections/invoices.ts';
import { journalProjection } from './projections/journal.ts';
import {
  accountBalance,
  accountHistory,
  addOnList,
  feeList,
  leftovers,
  subscriptionList,
} from './queries/accounts.ts';
import {
  planByCode,
  planById,
  planChanges,
  planList,
  planVersionList,
  priceList,
} from './queries/catalog.ts';
import {
  invoiceById,
  invoiceHistory,
  invoiceLines,
  invoiceList,
  previewInvoice,
} from './queries/invoices.ts';
import {
  creditNoteById,
  creditNoteLines,
  creditNoteList,
  journalPage,
  paymentByReference,
  paymentList,
  trialBalance,
} from './queries/ledger.ts';
import { accountsToCloseList } from './queries/runs.ts';

export const billingService = service({
  name: 'billing',
  events: [
    ...billingEvents,
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
  commands: [...catalogCommands, ...accountCommands, ...issuerCommands],
  queries: [
    planList,
    planById,
    planChanges,
    planByCode,
    planVersionList,
    priceList,
    invoiceList,
    invoiceById,
    invoiceLines,
    invoiceHistory,
    previewInvoice,
    creditNoteList,
    creditNoteById,
    creditNoteLines,
    paymentList,
    paymentByReference,
    journalPage,
    trialBalance,
    accountBalance,
    accountHistory,
    subscriptionList,
    addOnList,
    feeList,
    accountsToCloseList,
    leftovers,
  ],
  projections: [
    catalogProjection,
    accountsProjection,
    chargesProjection,
    invoicesProjection,
    journalProjection,
    deadlinesProjection,
  ],
  policies: [
    keepAccounts,
    issueInvoices,
    bookInvoices,
    issueCreditNotes,
    bookCreditNotes,
    answerPeriodEnds,
  ],
  responders: [answerQuote, answerInvoice, answerPeriodEnd, answerAccountsToClose],
});
