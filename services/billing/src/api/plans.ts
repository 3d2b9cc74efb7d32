/** The catalog from outside: what staff may change about plans, and how everyone reads them. */
import { PlanCodeSchema, planTermsShape } from '@bivouac/events/billing';
import { command, query, PageArgsSchema, pageSchema } from '@bivouac/events/language';
import { LimitsSchema } from '@bivouac/events/operations';
import { idOf, InstantSchema, MoneySchema } from '@bivouac/events/values';
import { z } from 'zod';

const planId = idOf('plan');
const terms = { ...planTermsShape, zone: planTermsShape.zone.default('UTC') };
const result = z.strictObject({ planId });

/**
 * Puts a plan into the catalog. The same code with the same terms again changes nothing; with other
 * terms: PLAN_CODE_TAKEN. Refusals: CURRENCIES_DIFFER, ZONE_UNKNOWN, PLAN_CODE_TAKEN.
 */
export const DefinePlan = command({
  name: 'billing.DefinePlan',
  access: 'staff',
  input: z.strictObject({ code: PlanCodeSchema, ...terms }),
  result,
});

/**
 * New terms for new orders; running subscriptions keep theirs. Refusals: PLAN_UNKNOWN,
 * PLAN_RETIRED, CURRENCIES_DIFFER, ZONE_UNKNOWN.
 */
export const ReplacePlanTerms = command({
  name: 'billing.ReplacePlanTerms',
  access: 'staff',
  input: z.strictObject({ planId, ...terms }),
  result,
});

/** No new orders for it; what runs on it goes on. Refusal: PLAN_UNKNOWN. */
export const RetirePlan = command({
  name: 'billing.RetirePlan',
  access: 'staff',
  input: z.strictObject({ planId }),
  result,
});

export const PlanViewSchema = z.object({
  id: planId,
  code: z.string(),
  name: z.string(),
  limits: LimitsSchema,
  includedAddresses: z.number().int(),
  monthly: MoneySchema,
  setup: MoneySchema,
  extraAddressMonthly: MoneySchema,
  zone: z.string(),
  retired: z.boolean(),
  /** Revision of the terms, as orders quote them. */
  revision: z.string(),
  definedAt: InstantSchema,
  /** Position of its definition: the order of lists. */
  position: z.string(),
});
export type PlanView = z.output<typeof PlanViewSchema>;

/** The catalog, oldest plan first; the same for every tenant. Retired plans only when asked for. */
export const Plans = query({
  name: 'billing.Plans',
  access: 'tenant',
  input: z.strictObject({ page: PageArgsSchema, includeRetired: z.boolean().default(false) }),
  result: pageSchema(PlanViewSchema),
});

export const PlanById = query({
  name: 'billing.PlanById',
  access: 'tenant',
  input: z.strictObject({ planId }),
  result: PlanViewSchema.nullable(),
});

/** By code, in whatever case it is written. */
export const PlanByCode = query({
  name: 'billing.PlanByCode',
  access: 'tenant',
  input: z.strictObject({ code: PlanCodeSchema }),
  result: PlanViewSchema.nullable(),
});
