/** An account is held for an invoice exactly while that is due to be held for, and never for a paid one. */
import { TenantHoldLifted, TenantHoldPlaced } from '@bivouac/events/accounts';
import {
  CreditGranted,
  CreditNoteBooked,
  DunningHoldClear,
  DunningHoldDue,
  InvoiceBooked,
  InvoiceVoided,
  PaymentRecorded,
  PaymentReversed,
} from '@bivouac/events/billing';
import { is } from '@bivouac/events/language';
import { deriveId, minorUnits } from '@bivouac/events/values';

import type { History } from './history.ts';

interface Overdue {
  /** How often it came to the hold. */
  times: number;
  due: boolean;
}

export function dunningViolations(history: History): string[] {
  const violations: string[] = [];
  const overdue = new Map<string, Overdue>();
  const open = new Map<string, bigint>();
  const standing = new Set<string>();
  for (const event of history) {
    if (is(event, DunningHoldDue)) {
      const { invoiceId } = event.data;
      const times = (overdue.get(invoiceId)?.times ?? 0) + 1;
      overdue.set(invoiceId, { times, due: true });
      if ((open.get(invoiceId) ?? 0n) <= 0n) {
        violations.push(`${invoiceId} holds its account and is paid (at ${event.position})`);
      }
    } else if (is(event, DunningHoldClear)) {
      const { invoiceId } = event.data;
      overdue.set(invoiceId, { times: overdue.get(invoiceId)?.times ?? 0, due: false });
    } else if (is(event, InvoiceVoided)) open.delete(event.data.invoiceId);
    else if (is(event, TenantHoldPlaced)) standing.add(event.data.hold.holdId);
    else if (is(event, TenantHoldLifted)) standing.delete(event.data.hold.holdId);
    if (is(event, InvoiceBooked)) open.set(event.data.invoiceId, minorUnits(event.data.total));
    if (
      is(event, InvoiceBooked) ||
      is(event, PaymentRecorded) ||
      is(event, PaymentReversed) ||
      is(event, CreditGranted) ||
      is(event, CreditNoteBooked)
    ) {
      for (const settled of event.data.settled ?? []) {
        if (open.has(settled.invoiceId)) open.set(settled.invoiceId, minorUnits(settled.open));
      }
    }
  }
  for (const [invoiceId, { times, due }] of overdue) {
    const ids = Array.from({ length: times + 1 }, (_, round) =>
      deriveId('hold', 'dunning', invoiceId, String(round)),
    );
    const holds = ids.filter((id) => standing.has(id)).length;
    if (holds !== (due ? 1 : 0)) {
      violations.push(`${holds} holds stand for ${invoiceId}, which ${due ? 'is' : 'is not'} due`);
    }
    if (due && (open.get(invoiceId) ?? 0n) <= 0n) {
      violations.push(`${invoiceId} is paid or void and still holds its account`);
    }
  }
  return violations;
}
