/** What both the issuer's credit series and the debtor's account say of a credit note. */
import { z } from 'zod';

import { customer } from '../language/index.ts';
import { idOf, MoneySchema } from '../values/index.ts';
import {
  CreditNoteNumberSchema,
  InvoiceNumberSchema,
  ReasonSchema,
  SubtotalsSchema,
} from './facts.ts';

/** A credit note as its events carry it: the invoice it voids, with every amount negated. */
export const creditNoteShape = {
  creditNoteId: idOf('creditNote'),
  number: CreditNoteNumberSchema,
  issuerId: idOf('tenant'),
  invoiceId: idOf('invoice'),
  invoiceNumber: InvoiceNumberSchema,
  reason: ReasonSchema,
  total: MoneySchema,
  subtotals: SubtotalsSchema,
  lineCount: z.number().int().min(1),
  /** Hex SHA-256 of the blob with the invoice's lines, their amounts negated. */
  lines: z.string().regex(/^[0-9a-f]{64}$/),
} as const;

export const creditNoteFields = {
  creditNoteId: customer(creditNoteShape.creditNoteId),
  number: customer(creditNoteShape.number),
  issuerId: customer(creditNoteShape.issuerId),
  invoiceId: customer(creditNoteShape.invoiceId),
  invoiceNumber: customer(creditNoteShape.invoiceNumber),
  reason: customer(creditNoteShape.reason),
  total: customer(creditNoteShape.total),
  subtotals: customer(creditNoteShape.subtotals),
  lineCount: customer(creditNoteShape.lineCount),
  lines: customer(creditNoteShape.lines),
} as const;
