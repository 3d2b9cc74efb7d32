/** What whoever asks can do with an invoice: its issuer's people take it back and book what is paid. */
import { builder } from '../language/builder.ts';
import { may } from '../request/viewer.ts';
import { InvoiceRef } from './invoice.ts';

builder.objectFields(InvoiceRef, (t) => ({
  viewerCanVoid: t.boolean({
    description: 'Whether `voidInvoice` is yours to ask for and it was not taken back before.',
    resolve: ({ state, issuerId }, _args, { viewer, services }) =>
      state !== 'void' && may(viewer, 'billing.manage') && services.reaches(issuerId),
  }),
  viewerCanRecordPayment: t.boolean({
    description: 'Whether `recordPayment` for its account is yours to ask for.',
    resolve: ({ issuerId }, _args, { viewer, services }) =>
      may(viewer, 'billing.manage') && services.reaches(issuerId),
  }),
}));
