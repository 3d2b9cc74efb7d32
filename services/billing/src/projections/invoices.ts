/** Invoices as they are booked, from their debtor's home alone. Their lines stay in the blob. */
import { InvoiceBooked } from '@bivouac/events/billing';
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
  readonly booked: Source;
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
    on(InvoiceBooked, (event, view) => {
      const { invoiceId: id, lines, legs: _legs, ...facts } = event.data;
      view.put(invoices, {
        view: { id, ...facts, bookedAt: event.time, position: event.position },
        homeId: event.homeid,
        lines,
        booked: { stream: event.stream, revision: event.revision.toString() },
      });
    }),
  ],
});
