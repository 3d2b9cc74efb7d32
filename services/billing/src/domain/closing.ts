/**
 * Closing a month and booking its invoice. Closing is where charges become final: it is decided on
 * the account's own stream, so no charge can slip between rating and closing.
 */
import { InvoiceBooked, MonthClosed, type Leg, type Subtotals } from '@bivouac/events/billing';
import {
  accept,
  refuse,
  type DecideContext,
  type Decision,
  type EventOf,
} from '@bivouac/events/language';
import { minorUnits, money } from '@bivouac/events/values';

import { invoiceIdOf, type AccountState } from './account.ts';
import { periodOf } from './calendar.ts';
import { RATED_BY, rate } from './rating.ts';

export function closeMonth(
  state: AccountState,
  input: { readonly accountId: string; readonly month: string },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { accountId, month } = input;
  if (state.closed.has(month)) return accept();
  if (state.issuer === undefined) return unknownAccount(accountId);
  const open = firstOpen(state, month, context.now);
  if (open !== undefined) {
    return refuse(
      'PERIOD_NOT_OVER',
      `${month} ends at ${open.endsAt} (${open.zone}); invoice it after that.`,
      { path: ['input', 'month'], details: { endsAt: open.endsAt, zone: open.zone } },
    );
  }
  const rated = rate(state.subscriptions.values(), month);
  if (rated.kind === 'currencies-differ') return currenciesDiffer(month, rated.currencies);
  return accept(
    MonthClosed({
      accountId,
      month,
      periods: [...rated.periods],
      ratedBy: RATED_BY,
      owed:
        rated.kind === 'nothing'
          ? null
          : {
              invoiceId: invoiceIdOf(accountId, month),
              total: rated.total,
              subtotals: rated.subtotals,
              lineCount: rated.lines.length,
            },
    }),
  );
}

export function bookInvoice(
  state: AccountState,
  invoice: Omit<EventOf<typeof InvoiceBooked>['data'], 'legs'>,
): Decision {
  const { accountId, invoiceId, number, month, total, subtotals } = invoice;
  if (state.issuer === undefined) return unknownAccount(accountId);
  const closing = state.closed.get(month);
  if (closing === undefined) {
    return refuse('MONTH_NOT_CLOSED', `${month} of this account is not closed; close it first.`);
  }
  const { owed } = closing;
  if (
    owed?.invoiceId !== invoiceId ||
    owed.total.currency !== total.currency ||
    minorUnits(owed.total) !== minorUnits(total)
  ) {
    return refuse(
      'INVOICE_DIFFERS',
      `Invoice ${number} is not what ${month} was closed with; compare both before booking.`,
    );
  }
  if (closing.booked !== undefined) return accept();
  return accept(InvoiceBooked({ ...invoice, legs: legsOf(subtotals) }));
}

/** The journal entry of an invoice: the debtor owes the sum of what was earned. Sums to zero. */
export function legsOf(subtotals: Subtotals): Leg[] {
  const { currency } = subtotals.plans;
  const earned = (['plans', 'addresses', 'setup'] as const).map(
    (kind) => [kind, minorUnits(subtotals[kind])] as const,
  );
  const owed = earned.reduce((sum, [, amount]) => sum + amount, 0n);
  return [
    { account: 'receivable', amount: money(owed, currency) },
    ...earned.flatMap(([kind, amount]): Leg[] =>
      amount === 0n
        ? []
        : [{ account: `revenue.${kind}` as const, amount: money(-amount, currency) }],
    ),
  ];
}

function unknownAccount(accountId: string): ReturnType<typeof refuse> {
  return refuse('ACCOUNT_UNKNOWN', `There is no account ${accountId}; check the tenant's id.`, {
    path: ['input', 'accountId'],
  });
}

export function currenciesDiffer(
  month: string,
  currencies: readonly string[],
): ReturnType<typeof refuse> {
  return refuse(
    'CURRENCIES_DIFFER',
    `${month} has charges in ${currencies.join(' and ')}, and an invoice has one currency; ask staff to settle it.`,
    { details: { currencies } },
  );
}

/** The month's period in the first of the account's zones where it has not ended. */
function firstOpen(state: AccountState, month: string, now: string) {
  const zones = new Set([...state.subscriptions.values()].map((s) => s.zone));
  return [...(zones.size === 0 ? ['UTC'] : zones)]
    .sort()
    .map((zone) => periodOf(month, zone))
    .find((period) => now < period.endsAt);
}
