/** Invoices and credit notes as they are booked, from their debtor's home alone. Lines stay in blobs. */
import {
  CreditGranted,
  CreditNoteBooked,
  DunningStageReached,
  InvoiceBooked,
  InvoiceVoided,
  PaymentRecorded,
  PaymentReversed,
  type Settlement,
} from '@bivouac/events/billing';
import type { Source } from '@bivouac/events/operations';
import { minorUnits, money } from '@bivouac/events/values';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { InvoiceView } from '../api/invoices.ts';
import type { CreditNoteView, PaymentView } from '../api/ledger.ts';

export interface InvoiceRow {
  readonly view: InvoiceView;
  /** The debtor's home. */
  readonly homeId: string;
  /** Digest of the lines' blob. */
  readonly lines: string;
  readonly booked: Source;
  /** The voiding and the booking of the credit note, where there are any. */
  readonly taken: Source[];
}

export const invoices = table<InvoiceRow>()({
  name: 'invoices',
  key: (row) => row.view.id,
  indexes: {
    byPosition: (row) => [row.view.position],
    byAccount: (row) => [row.view.accountId, row.view.position],
    byHome: (row) => [row.homeId, row.view.position],
  },
});

export interface CreditNoteRow {
  readonly view: CreditNoteView;
  readonly lines: string;
}

export const creditNotes = table<CreditNoteRow>()({
  name: 'creditNotes',
  key: (row) => row.view.id,
  indexes: { byAccount: (row) => [row.view.accountId, row.view.position] },
});

export const payments = table<PaymentView>()({
  name: 'payments',
  key: (row) => row.id,
  indexes: { byAccount: (row) => [row.accountId, row.position] },
});

export const invoicesProjection = projection({
  name: 'billing.invoices',
  tables: [invoices, creditNotes, payments],
  on: [
    on(InvoiceBooked, (event, view) => {
      const { invoiceId: id, lines, legs: _legs, settled = [], dueAt, ...facts } = event.data;
      view.put(invoices, {
        view: {
          ...{ id, ...facts, bookedAt: event.time, position: event.position },
          ...{ state: 'open', paid: money(0n, facts.total.currency), open: facts.total },
          ...{ dueAt: dueAt ?? null, dunning: null, voided: null },
        },
        ...{ homeId: event.homeid, lines, booked: sourceOf(event), taken: [] },
      });
      settle(view, settled);
    }),
    on(InvoiceVoided, (event, view) => {
      const { invoiceId, creditNoteId, reason } = event.data;
      const row = view.get(invoices, invoiceId);
      if (row === undefined) return;
      const open = money(0n, row.view.total.currency);
      view.put(invoices, {
        ...row,
        view: { ...row.view, state: 'void', open, voided: { creditNoteId, reason } },
        taken: [...row.taken, sourceOf(event)],
      });
    }),
    on(CreditNoteBooked, (event, view) => {
      const { creditNoteId: id, lines, legs: _legs, settled, ...facts } = event.data;
      const bookedAt = event.time;
      view.put(creditNotes, { view: { id, ...facts, bookedAt, position: event.position }, lines });
      const row = view.get(invoices, facts.invoiceId);
      if (row !== undefined) {
        const paid = money(0n, row.view.total.currency);
        const taken = [...row.taken, sourceOf(event)];
        view.put(invoices, { ...row, view: { ...row.view, paid }, taken });
      }
      settle(view, settled);
    }),
    on(PaymentRecorded, (event, view) => {
      const { paymentId: id, legs: _legs, receivedAt = null, ...facts } = event.data;
      view.put(payments, {
        ...{ id, ...facts, receivedAt, recordedAt: event.time, reversed: null },
        position: event.position,
      });
      settle(view, facts.settled);
    }),
    on(PaymentReversed, (event, view) => {
      const { paymentId, reason, settled } = event.data;
      const row = view.get(payments, paymentId);
      if (row !== undefined) {
        view.put(payments, { ...row, reversed: { at: event.time, reason } });
      }
      settle(view, settled);
    }),
    on(CreditGranted, (event, view) => {
      settle(view, event.data.settled);
    }),
    on(DunningStageReached, (event, view) => {
      const { invoiceId, stage } = event.data;
      const row = view.get(invoices, invoiceId);
      if (row !== undefined) view.put(invoices, { ...row, view: { ...row.view, dunning: stage } });
    }),
  ],
});

function settle(view: WritableView, settled: readonly Settlement[]): void {
  for (const { invoiceId, paid, open } of settled) {
    const row = view.get(invoices, invoiceId);
    if (row === undefined) continue;
    const whole = minorUnits(open) === 0n;
    if (row.view.state === 'void') continue;
    view.put(invoices, {
      ...row,
      view: {
        ...row.view,
        ...{ state: whole ? 'paid' : 'open', paid, open },
        // What is paid is reminded of no more, and from the first stage if it is open again.
        ...(whole ? { dunning: null } : {}),
      },
    });
  }
}

function sourceOf(event: { readonly stream: string; readonly revision: bigint }): Source {
  return { stream: event.stream, revision: event.revision.toString() };
}
