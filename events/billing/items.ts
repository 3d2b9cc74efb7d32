/** Events of an account's stream: what the issuer charges besides containers. */
import { z } from 'zod';

import { customer, event } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { PriceSchema, ReasonSchema, ZoneSchema } from './facts.ts';

const accountId = customer(idOf('tenant'));

/** What an item is called on the invoice. */
export const ItemNameSchema = z.string().trim().min(1).max(120);

/** Something is charged by the month, until it is cancelled; with a subscription: until that ends. */
export const AddOnAttached = event(
  'billing.AddOnAttached',
  z.strictObject({
    accountId,
    addOnId: customer(idOf('item')),
    name: customer(ItemNameSchema),
    /** Of one, for a month. */
    monthly: customer(PriceSchema),
    quantity: customer(z.number().int().min(1).max(1_000_000)),
    zone: customer(ZoneSchema),
    /** Null: it is the account's. */
    subscriptionId: customer(idOf('subscription').nullable()),
    containerId: customer(idOf('container').nullable()),
    attachedAt: customer(InstantSchema),
  }),
);

/** It is charged until `endsAt`, which may lie ahead. A later one of these only ends it earlier. */
export const AddOnCancelled = event(
  'billing.AddOnCancelled',
  z.strictObject({
    accountId,
    addOnId: customer(idOf('item')),
    endsAt: customer(InstantSchema),
    reason: customer(ReasonSchema.optional()),
  }),
);

/** Something is charged once, with the month it falls into. */
export const FeeCharged = event(
  'billing.FeeCharged',
  z.strictObject({
    accountId,
    feeId: customer(idOf('item')),
    name: customer(ItemNameSchema),
    amount: customer(PriceSchema),
    reason: customer(ReasonSchema),
    zone: customer(ZoneSchema),
    chargedAt: customer(InstantSchema),
  }),
);

export const itemEvents = [AddOnAttached, AddOnCancelled, FeeCharged] as const;
