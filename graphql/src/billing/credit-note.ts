/** Credit notes: invoices taken back, whole. */
import {
  CreditNoteById,
  CreditNoteLines,
  type CreditNoteView,
  type InvoiceLine,
} from '@bivouac/billing/api';

import { accountById, AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { MoneyRef } from '../language/money.ts';
import { idArgument, NodeRef, registerNode } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import type { Services } from '../request/services.ts';
import { InvoiceLineConnection, InvoiceLineRef, InvoiceRef, invoiceById } from './invoice.ts';

/** One credit note, once per request. */
export function creditNoteById(services: Services, id: string): Promise<CreditNoteView | null> {
  return services.once(`credit-note:${id}`, async () => {
    const found = await services.query(CreditNoteById, { creditNoteId: id });
    if (found === null || !services.sees(CreditNoteById, found.accountId, found.issuerId)) {
      return null;
    }
    return found;
  });
}

export const noLines = {
  items: [] as { cursor: string; node: InvoiceLine }[],
  hasNext: false,
  hasPrevious: false,
};

export const CreditNoteRef = builder.objectRef<CreditNoteView>('CreditNote').implement({
  description: 'An invoice taken back: its total and lines, negated.',
  interfaces: [NodeRef],
  fields: (t) => ({
    number: t.exposeString('number', {
      description: 'Gapless within the issuer’s credit series, e.g. `C2026-000001`.',
    }),
    invoiceNumber: t.exposeString('invoiceNumber', { description: 'The number it takes back.' }),
    invoice: t.field({
      type: InvoiceRef,
      nullable: true,
      description: 'The invoice.',
      resolve: ({ invoiceId }, _args, { services }) => invoiceById(services, invoiceId),
    }),
    reason: t.exposeString('reason', { description: 'Why.' }),
    total: t.expose('total', { type: MoneyRef, description: 'The invoice’s, negated.' }),
    lineCount: t.exposeInt('lineCount', { description: 'How many lines it has.' }),
    lines: t.connection(
      {
        type: InvoiceLineRef,
        description: 'The invoice’s lines, their amounts negated.',
        resolve: async ({ id }, args, { services }) => {
          const input = { creditNoteId: id, page: pageRequest(args) };
          return connection((await services.query(CreditNoteLines, input)) ?? noLines);
        },
      },
      InvoiceLineConnection,
    ),
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'Whose invoice it was.',
      resolve: ({ accountId }, _args, { services }) => accountById(services, accountId),
    }),
    issuedAt: t.expose('issuedAt', { type: 'DateTime', description: 'When it was issued.' }),
    bookedAt: t.expose('bookedAt', {
      type: 'DateTime',
      description: 'When it entered the account’s books.',
    }),
  }),
});

registerNode('creditNote', 'CreditNote', (id, { services }) => creditNoteById(services, id));

export const CreditNoteConnection = builder.connectionObject(
  { type: CreditNoteRef, name: 'CreditNoteConnection', description: 'A page of credit notes.' },
  { name: 'CreditNoteEdge', description: 'A credit note and where it stands.' },
);

builder.objectFields(InvoiceRef, (t) => ({
  creditNote: t.field({
    type: CreditNoteRef,
    nullable: true,
    description: 'The credit note that took it back, once that is booked.',
    resolve: ({ voided }, _args, { services }) =>
      voided === null ? null : creditNoteById(services, voided.creditNoteId),
  }),
}));

builder.queryField('creditNote', (t) =>
  t.field({
    type: CreditNoteRef,
    nullable: true,
    description: 'One credit note; null where there is none or it is out of your reach.',
    args: { id: t.arg.id({ description: 'Its id, `crn_…`.' }) },
    resolve: (_root, { id }, { services }) =>
      creditNoteById(services, idArgument('id', 'creditNote', id)),
  }),
);
