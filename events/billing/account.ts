/**
 * Events of an account's stream, `account-<ten id>`, in its tenant's home: what is charged and why,
 * the months that were closed and the invoices that were booked.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { HostnameSchema, MonthSchema, PlanTermsSchema, SourceSchema } from '../operations/index.ts';
import { idOf, InstantSchema, MoneySchema } from '../values/index.ts';
import {
  CauseSchema,
  ChargedAddressSchema,
  LegSchema,
  PeriodSchema,
  PriceSchema,
  RatingPolicySchema,
  SettlementSchema,
  SubtotalsSchema,
  ZoneSchema,
} from './facts.ts';
import { dunningEvents } from './dunning.ts';
import { invoiceFields } from './invoice.ts';
import { itemEvents } from './items.ts';
import { ledgerEvents } from './ledger.ts';
import { subscriptionEvents } from './subscription.ts';

const accountId = customer(idOf('tenant'));
const subscriptionId = customer(idOf('subscription'));
const containerId = customer(idOf('container'));
const cause = customer(CauseSchema);

/** Who invoices the account: the tenant directly above it, in a series of its own. */
export const AccountOpened = event(
  'billing.AccountOpened',
  z.strictObject({
    accountId,
    issuerId: customer(idOf('tenant')),
    issuerHomeId: staff(idOf('tenant')),
  }),
);

/**
 * Charging begins: when the container first runs, and anew when it is restored. `startedAt` is the cause's recorded time, or the end
 * of that month where the month had been closed before this fact arrived.
 */
export const SubscriptionStarted = event(
  'billing.SubscriptionStarted',
  z.strictObject({
    accountId,
    subscriptionId,
    containerId,
    hostname: customer(HostnameSchema),
    terms: customer(PlanTermsSchema),
    zone: customer(ZoneSchema),
    /** In order of seniority: the plan's included ones come first. */
    addresses: customer(z.array(ChargedAddressSchema)),
    startedAt: customer(InstantSchema),
    cause,
  }),
);

/** The set-up fee is owed, once per subscription. */
export const SetupCharged = event(
  'billing.SetupCharged',
  z.strictObject({
    accountId,
    subscriptionId,
    containerId,
    amount: customer(PriceSchema),
    chargedAt: customer(InstantSchema),
    cause,
  }),
);

/** Addresses joined, junior to those already there. Beyond the plan's included ones, each is charged. */
export const AddressesAdded = event(
  'billing.AddressesAdded',
  z.strictObject({
    accountId,
    subscriptionId,
    containerId,
    addresses: customer(z.array(ChargedAddressSchema).min(1)),
    addedAt: customer(InstantSchema),
    cause,
  }),
);

export const AddressesRemoved = event(
  'billing.AddressesRemoved',
  z.strictObject({
    accountId,
    subscriptionId,
    containerId,
    leaseIds: customer(z.array(idOf('lease')).min(1)),
    removedAt: customer(InstantSchema),
    /** What attached them was undone: they are charged for no day. */
    undone: customer(z.literal(true).optional()),
    cause,
  }),
);

/** Charging ended, also of its addresses. */
export const SubscriptionEnded = event(
  'billing.SubscriptionEnded',
  z.strictObject({
    accountId,
    subscriptionId,
    containerId,
    endedAt: customer(InstantSchema),
    cause,
  }),
);

/**
 * A month's charges are final: rated on the stream up to the event before this one. What arrives
 * later counts from the month's end. `owed` is null where nothing is owed and no invoice follows.
 */
export const MonthClosed = event(
  'billing.MonthClosed',
  z.strictObject({
    accountId,
    month: customer(MonthSchema),
    /** One per time zone charged in. */
    periods: customer(z.array(PeriodSchema).min(1)),
    ratedBy: customer(RatingPolicySchema),
    owed: customer(
      z
        .strictObject({
          invoiceId: idOf('invoice'),
          total: MoneySchema,
          subtotals: SubtotalsSchema,
          lineCount: z.number().int().min(1),
        })
        .nullable(),
    ),
  }),
);

/**
 * The invoice is in the account's books, whole, so that the account's home alone tells of it: one
 * journal entry with all its legs.
 */
export const InvoiceBooked = event(
  'billing.InvoiceBooked',
  z.strictObject({
    accountId,
    ...invoiceFields,
    /** Where and when it was issued. */
    issued: customer(SourceSchema),
    issuedAt: customer(InstantSchema),
    legs: staff(z.array(LegSchema).min(2)),
    /** Where credit paid some or all of it at once. */
    settled: customer(z.array(SettlementSchema).optional()),
  }),
);

export const accountEvents = [
  AccountOpened,
  SubscriptionStarted,
  SetupCharged,
  AddressesAdded,
  AddressesRemoved,
  SubscriptionEnded,
  MonthClosed,
  InvoiceBooked,
  ...subscriptionEvents,
  ...itemEvents,
  ...ledgerEvents,
  ...dunningEvents,
] as const;
