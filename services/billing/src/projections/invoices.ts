/** Invoices from their issuing to their booking. Their lines stay in the blob. */
import { InvoiceBooked, InvoiceIssued } from '@bivouac/events/billing';
import type { Source } from '@bivouac/events/operations';
import { on, projection } from '@bivouac/infra/runtime';
import { table } from '@bivouac/infra/views';

import type { InvoiceView } from '../api/invoices.ts';

export interface InvoiceRow {
  readonly view: InvoiceView;
  /** The debtor's home. */
  readonly homeId: string;
  /** Digest of the lines' blob. */
  readonly lines: string;
  readonly booked: Source | null;
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

export const invoicesProjection = projection({
  name: 'billing.invoices',
  tables: [invoices],
  on: [
    on(InvoiceIssued, (event, view) => {
      const { invoiceId: id, accountHomeId: homeId, lines, ...facts } = event.data;
      view.put(invoices, {
        view: {
          id,
          ...facts,
          issuedAt: event.time,
          issued: { stream: event.stream, revision: event.revision.toString() },
          bookedAt: null,
          position: event.position,
        },
        homeId,
        lines,
        booked: null,
      });
    }),
    on(InvoiceBooked, (event, view) => {
      const row = view.get(invoices, event.data.invoiceId);
      if (row === undefined) return;
      view.put(invoices, {
        ...row,
        view: { ...row.view, bookedAt: event.time },
        booked: { stream: event.stream, revision: event.revision.toString() },
      });
    }),
  ],
});
