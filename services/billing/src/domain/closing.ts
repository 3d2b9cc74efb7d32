/**
 * Closing a month and booking its invoice. Closing is where charges become final: it is decided on
 * the account's own stream, so no charge can slip between rating and closing.
 */
import { InvoiceBooked, MonthClosed, TermsRenewed } from '@bivouac/events/billing';
import {
  accept,
  refuse,
  type Decided,
  type DecideContext,
  type Decision,
  type EventOf,
} from '@bivouac/events/language';
import { minorUnits } from '@bivouac/events/values';

import { invoiceIdOf, type AccountState } from './account.ts';
import { isBefore, periodOf } from './calendar.ts';
import { clearedBy } from './dunning.ts';
import { entryOf, revenueLegs } from './ledger.ts';
import { RATED_BY, rate } from './rating.ts';
import { type CatalogVersion, type Renewal, renewalsOf, renewed } from './renewal.ts';

export function closeMonth(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly month: string;
    /** Every version of the plans that are charged: existing subscriptions may get new prices. */
    readonly versions: readonly CatalogVersion[];
  },
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
  const renewals = renewalsOf(state, month, input.versions);
  const rated = rate(renewed(state, renewals), month);
  if (rated.kind === 'currencies-differ') return currenciesDiffer(month, rated.currencies);
  return accept<Decided>(
    ...renewalEvents(accountId, renewals),
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

/** With it goes what credit the account has; the rest is owed. */
export function bookInvoice(
  state: AccountState,
  invoice: Omit<EventOf<typeof InvoiceBooked>['data'], 'legs' | 'settled'>,
  context: Pick<DecideContext, 'homeId'>,
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
  const change = { kind: 'booked', invoiceId, total } as const;
  const { legs, settled } = entryOf(state.ledger, change, revenueLegs(subtotals));
  return accept<Decided>(
    InvoiceBooked({ ...invoice, legs, ...(settled.length === 0 ? {} : { settled }) }),
    ...clearedBy(state, accountId, context.homeId, settled),
  );
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

function renewalEvents(accountId: string, renewals: readonly Renewal[]): Decided[] {
  return renewals.map(({ subscription, stretch }) =>
    TermsRenewed({
      accountId,
      subscriptionId: subscription.subscriptionId,
      containerId: subscription.containerId,
      ...{ terms: stretch.terms, renewedFrom: stretch.from, cause: stretch.cause },
    }),
  );
}

/** The month's period in the first of the account's zones where it has not ended. */
function firstOpen(state: AccountState, month: string, now: string) {
  const charged = [state.subscriptions, state.addOns, state.fees];
  const zones = new Set(charged.flatMap((kind) => [...kind.values()].map((item) => item.zone)));
  return [...(zones.size === 0 ? ['UTC'] : zones)]
    .sort()
    .map((zone) => periodOf(month, zone))
    .find((period) => isBefore(now, period.endsAt));
}
