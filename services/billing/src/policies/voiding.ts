/**
 * From a void invoice to its booked credit note, each step idempotent by the note's id. As with
 * invoices, issuing is the append in the issuer's series, and the debtor's books follow it.
 */
import { CreditNoteIssued, InvoiceVoided } from '@bivouac/events/billing';
import { canonicalBytes } from '@bivouac/events/language';
import { minorUnits, money, type Money } from '@bivouac/events/values';
import { policy, type PolicyContext, RuntimeError } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { account } from '../aggregates.ts';
import { BookCreditNote, IssueCreditNote } from '../api/account.ts';
import { InvoiceLineSchema } from '../api/invoices.ts';
import { accountStream } from '../domain/account.ts';
import type { BookedInvoice } from '../domain/ledger.ts';
import { accepted } from './charges.ts';

export const issueCreditNotes = policy({
  name: 'billing.issue-credit-notes',
  on: [InvoiceVoided],
  target: (event) => accountStream(event.data.accountId),
  react: async (event, context) => {
    const { accountId, invoiceId, creditNoteId, reason } = event.data;
    const { state, homeId } = await context.load(account, accountStream(accountId));
    const invoice = state.ledger.invoices.get(invoiceId);
    if (invoice === undefined || state.issuer === undefined || homeId === undefined) {
      throw new RuntimeError('defect', `${invoiceId} was voided and is not in the books`);
    }
    accepted(
      await context.execute(IssueCreditNote, {
        ...{ accountId, creditNoteId, invoiceId, reason },
        issuerId: invoice.issuerId,
        issuerHomeId: state.issuer.homeId,
        accountHomeId: homeId,
        invoiceNumber: invoice.number,
        ...(await negated(invoice, context)),
      }),
    );
  },
});

/** The debtor's books follow the credit series. */
export const bookCreditNotes = policy({
  name: 'billing.book-credit-notes',
  on: [CreditNoteIssued],
  target: (event) => accountStream(event.data.accountId),
  react: async (event, context) => {
    const { accountHomeId: _accountHomeId, ...note } = event.data;
    const issued = { stream: event.stream, revision: event.revision.toString() };
    accepted(await context.execute(BookCreditNote, { ...note, issued, issuedAt: event.time }));
  },
});

/** The invoice's total and parts below zero, and its lines so in a blob of their own. */
async function negated(invoice: BookedInvoice, context: PolicyContext) {
  const { subtotals, lineCount } = invoice;
  const content = await context.ports.blobs.get(invoice.lines);
  if (content === undefined) {
    throw new RuntimeError(
      'unavailable',
      `the lines of invoice ${invoice.number} (blob ${invoice.lines}) are not in the blob store; restore it`,
    );
  }
  const lines = LinesSchema.parse(JSON.parse(new TextDecoder().decode(content))).map((line) => ({
    ...line,
    unitPrice: minus(line.unitPrice),
    amount: minus(line.amount),
  }));
  return {
    lineCount,
    total: minus(invoice.total),
    subtotals: {
      plans: minus(subtotals.plans),
      addresses: minus(subtotals.addresses),
      setup: minus(subtotals.setup),
      ...(subtotals.addOns === undefined ? {} : { addOns: minus(subtotals.addOns) }),
      ...(subtotals.fees === undefined ? {} : { fees: minus(subtotals.fees) }),
    },
    lines: await context.ports.blobs.put(canonicalBytes(lines)),
  };
}

const LinesSchema = z.array(InvoiceLineSchema);

function minus(amount: Money): Money {
  return money(-minorUnits(amount), amount.currency);
}
