/** Events of a plan's stream, `plan-<pln id>`: the catalog entry, version by version. */
import { z } from 'zod';

import { customer, event } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { PlanCodeSchema, planTermsShape } from './facts.ts';

const planId = customer(idOf('plan'));
const terms = {
  name: customer(planTermsShape.name),
  limits: customer(planTermsShape.limits),
  includedAddresses: customer(planTermsShape.includedAddresses),
  monthly: customer(planTermsShape.monthly),
  setup: customer(planTermsShape.setup),
  extraAddressMonthly: customer(planTermsShape.extraAddressMonthly),
  zone: customer(planTermsShape.zone),
};

/** The plan can be ordered. Its id is derived from its code, so a code names one plan for ever. */
export const PlanDefined = event(
  'billing.PlanDefined',
  z.strictObject({ planId, code: customer(PlanCodeSchema), ...terms }),
);

/**
 * New orders get these terms; subscriptions keep those they started with. From `effectiveFrom` on, or
 * from when it was recorded. With `forExisting` subscriptions get the prices, too, from their first
 * period that begins at or after it; what their containers may use stays.
 */
export const PlanTermsReplaced = event(
  'billing.PlanTermsReplaced',
  z.strictObject({
    planId,
    ...terms,
    effectiveFrom: customer(InstantSchema.optional()),
    forExisting: customer(z.boolean().optional()),
  }),
);

/** It cannot be ordered any more; what runs on it goes on. */
export const PlanRetired = event('billing.PlanRetired', z.strictObject({ planId }));

export const planEvents = [PlanDefined, PlanTermsReplaced, PlanRetired] as const;
