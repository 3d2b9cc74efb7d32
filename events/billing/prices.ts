/**
 * Events of an issuer's price list, `prices-<issuer ten id>`, in the issuer's home: what a reseller
 * takes of its customers for the catalog's plans. What the list does not name costs what it costs the
 * issuer itself.
 */
import { z } from 'zod';

import { customer, event } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { PlanCodeSchema, PriceSchema } from './facts.ts';

const issuerId = customer(idOf('tenant'));

/** From `effectiveFrom` on, or from when it was recorded, new orders are quoted these prices. */
export const PriceSet = event(
  'billing.PriceSet',
  z.strictObject({
    issuerId,
    planId: customer(idOf('plan')),
    planCode: customer(PlanCodeSchema),
    monthly: customer(PriceSchema),
    setup: customer(PriceSchema),
    extraAddressMonthly: customer(PriceSchema),
    effectiveFrom: customer(InstantSchema.optional()),
  }),
);

/** The plan costs what it costs the issuer again. */
export const PriceWithdrawn = event(
  'billing.PriceWithdrawn',
  z.strictObject({ issuerId, planId: customer(idOf('plan')) }),
);

export const priceEvents = [PriceSet, PriceWithdrawn] as const;
