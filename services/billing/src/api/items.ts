/** Add-ons and fees: what whoever invoices an account charges besides containers. */
import { ItemNameSchema, PriceSchema, ReasonSchema, ZoneSchema } from '@bivouac/events/billing';
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { idOf, InstantSchema, MoneySchema } from '@bivouac/events/values';
import { z } from 'zod';

const accountId = idOf('tenant');

/**
 * Charged by the month from today on, until it is cancelled; with a subscription: until that ends, in
 * its time zone. By the issuer only: NOT_ALLOWED. Refusals: SUBSCRIPTION_UNKNOWN, SUBSCRIPTION_ENDED,
 * CURRENCIES_DIFFER, ZONE_UNKNOWN, AMOUNT_NOT_POSITIVE.
 */
export const AttachAddOn = command({
  name: 'billing.AttachAddOn',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({
    accountId,
    name: ItemNameSchema,
    /** Of one, for a month. */
    monthly: PriceSchema,
    quantity: z.number().int().min(1).max(1_000_000).default(1),
    zone: ZoneSchema.default('UTC'),
    subscriptionId: idOf('subscription').optional(),
  }),
  result: z.strictObject({ addOnId: idOf('item').nullable() }),
});

/**
 * Ends it today (today is not charged, unless it began today) or with the month. What ends sooner
 * stays so. By whoever pays or whoever charges. Refusal: ADD_ON_UNKNOWN.
 */
export const CancelAddOn = command({
  name: 'billing.CancelAddOn',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({
    accountId,
    addOnId: idOf('item'),
    at: z.enum(['now', 'period-end']),
    reason: ReasonSchema.optional(),
  }),
  result: z.strictObject({ addOnId: idOf('item') }),
});

/**
 * Charged once, with this month. By the issuer only: NOT_ALLOWED. Refusals: CURRENCIES_DIFFER,
 * ZONE_UNKNOWN, AMOUNT_NOT_POSITIVE.
 */
export const ChargeFee = command({
  name: 'billing.ChargeFee',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({
    accountId,
    name: ItemNameSchema,
    amount: PriceSchema,
    reason: ReasonSchema,
    zone: ZoneSchema.default('UTC'),
  }),
  result: z.strictObject({ feeId: idOf('item').nullable() }),
});

export const AddOnViewSchema = z.object({
  id: idOf('item'),
  accountId,
  name: z.string(),
  monthly: MoneySchema,
  quantity: z.number().int(),
  zone: z.string(),
  subscriptionId: idOf('subscription').nullable(),
  containerId: idOf('container').nullable(),
  attachedAt: InstantSchema,
  /** May lie ahead: cancelled to the period's end. */
  endsAt: InstantSchema.nullable(),
  position: z.string(),
});
export type AddOnView = z.output<typeof AddOnViewSchema>;

/** An account's add-ons, oldest first, the cancelled among them. */
export const AddOns = query({
  name: 'billing.AddOns',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ page: PageArgsSchema, accountId }),
  result: pageSchema(AddOnViewSchema),
});

export const FeeViewSchema = z.object({
  id: idOf('item'),
  accountId,
  name: z.string(),
  amount: MoneySchema,
  reason: z.string(),
  chargedAt: InstantSchema,
  position: z.string(),
});
export type FeeView = z.output<typeof FeeViewSchema>;

/** An account's fees, oldest first. */
export const Fees = query({
  name: 'billing.Fees',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ page: PageArgsSchema, accountId }),
  result: pageSchema(FeeViewSchema),
});
