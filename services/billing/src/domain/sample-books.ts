/** Booked invoices for tests: months closed over a given amount. */
import { MonthClosed } from '@bivouac/events/billing';
import { money } from '@bivouac/events/values';

import { invoiceIdOf } from './account.ts';
import { periodOf } from './calendar.ts';
import { bookInvoice } from './closing.ts';
import { RATED_BY } from './rating.ts';
import { accountId, eur, issuerId, type SampleAccount } from './sample-charges.ts';

/** The n-th month's invoice, closed and booked, over so many cents. */
export function books(account: SampleAccount, n: number, cents: bigint, dueAt?: string): string {
  const month = `${2026 + Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`;
  const invoiceId = invoiceIdOf(accountId, month);
  const total = money(cents, 'EUR');
  const subtotals = { plans: total, addresses: eur('0.00'), setup: eur('0.00') };
  const periods = [periodOf(month, 'UTC')];
  const owed = { invoiceId, total, subtotals, lineCount: 1 };
  account.given(MonthClosed({ accountId, month, periods, ratedBy: RATED_BY, owed }));
  account.when((state) =>
    bookInvoice(
      state,
      {
        ...{ accountId, month, periods, ratedBy: RATED_BY, ...owed, issuerId },
        number: `2026-${String(n + 1).padStart(6, '0')}`,
        lines: '0'.repeat(64),
        closed: { stream: `account-${accountId}`, revision: '1' },
        issued: { stream: `series-${issuerId}`, revision: '0' },
        issuedAt: '2026-05-01T00:00:00.000Z',
        ...(dueAt === undefined ? {} : { dueAt }),
      },
      { homeId: accountId },
    ),
  );
  return invoiceId;
}
