/** What accounts are charged for: subscriptions, add-ons, fees. */
import {
  AddOnAttached,
  AddOnCancelled,
  AddressesAdded,
  AddressesRemoved,
  FeeCharged,
  PlanChanged,
  SubscriptionEnded,
  SubscriptionStarted,
  SubscriptionVoided,
  TermsRenewed,
} from '@bivouac/events/billing';
import type { PlanTerms } from '@bivouac/events/operations';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type View, type WritableView } from '@bivouac/infra/views';

import type { SubscriptionView } from '../api/invoices.ts';
import type { AddOnView, FeeView } from '../api/items.ts';

export const subscriptions = table<SubscriptionView>()({
  name: 'subscriptions',
  key: (row) => row.id,
  indexes: { byAccount: (row) => [row.accountId, row.position] },
});

export const addOns = table<AddOnView>()({
  name: 'addOns',
  key: (row) => row.id,
  indexes: {
    byAccount: (row) => [row.accountId, row.position],
    openBySubscription: (row) =>
      row.subscriptionId !== null && row.endsAt === null ? [row.subscriptionId] : undefined,
  },
});

/** A subscription's add-ons that nobody cancelled: a few, for each has a name on the invoice. */
export function openAddOns(view: View, subscriptionId: string): AddOnView[] {
  const page = { limit: 1000 };
  return view.range(addOns, 'openBySubscription', [subscriptionId], page).map(({ row }) => row);
}

export const fees = table<FeeView>()({
  name: 'fees',
  key: (row) => row.id,
  indexes: { byAccount: (row) => [row.accountId, row.position] },
});

export const chargesProjection = projection({
  name: 'billing.charges',
  tables: [subscriptions, addOns, fees],
  on: [
    on(SubscriptionStarted, (event, view) => {
      const { accountId, subscriptionId, containerId, hostname, terms, zone } = event.data;
      view.put(subscriptions, {
        ...{ id: subscriptionId, accountId, containerId, hostname, zone, ...priceOf(terms) },
        addresses: event.data.addresses.length,
        startedAt: event.data.startedAt,
        endedAt: null,
        voided: false,
        position: event.position,
      });
    }),
    on(PlanChanged, (event, view) => {
      const { subscriptionId, terms } = event.data;
      change(view, subscriptionId, () => priceOf(terms));
    }),
    on(TermsRenewed, (event, view) => {
      const { subscriptionId, terms } = event.data;
      // Of a month closed late: a plan it was changed to meanwhile stays.
      change(view, subscriptionId, (row) => (row.planId === terms.planId ? priceOf(terms) : {}));
    }),
    on(AddressesAdded, (event, view) => {
      const { subscriptionId, addresses: added } = event.data;
      change(view, subscriptionId, (row) => ({ addresses: row.addresses + added.length }));
    }),
    on(AddressesRemoved, (event, view) => {
      const { subscriptionId, leaseIds } = event.data;
      change(view, subscriptionId, (row) => ({ addresses: row.addresses - leaseIds.length }));
    }),
    on(SubscriptionEnded, (event, view) => {
      const { subscriptionId, endedAt } = event.data;
      change(view, subscriptionId, () => ({ addresses: 0, endedAt }));
      // They end with it.
      for (const addOn of openAddOns(view, subscriptionId)) {
        view.put(addOns, { ...addOn, endsAt: endedAt });
      }
    }),
    on(SubscriptionVoided, (event, view) => {
      change(view, event.data.subscriptionId, () => ({ voided: true }));
    }),
    on(AddOnAttached, (event, view) => {
      const { addOnId: id, ...facts } = event.data;
      view.put(addOns, { id, ...facts, endsAt: null, position: event.position });
    }),
    on(AddOnCancelled, (event, view) => {
      const row = view.get(addOns, event.data.addOnId);
      const { endsAt } = event.data;
      // One that ended with its subscription stays ended.
      if (row === undefined || (row.endsAt !== null && row.endsAt <= endsAt)) return;
      view.put(addOns, { ...row, endsAt });
    }),
    on(FeeCharged, (event, view) => {
      const { feeId: id, zone: _zone, ...facts } = event.data;
      view.put(fees, { id, ...facts, position: event.position });
    }),
  ],
});

function priceOf({ planId, code, monthly, extraAddressMonthly }: PlanTerms) {
  return { planId, planCode: code, monthly, extraAddressMonthly };
}

function change(
  view: WritableView,
  id: string,
  to: (row: SubscriptionView) => Partial<SubscriptionView>,
): void {
  const row = view.get(subscriptions, id);
  if (row !== undefined) view.put(subscriptions, { ...row, ...to(row) });
}
