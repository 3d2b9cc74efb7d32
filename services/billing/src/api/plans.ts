/** The catalog from outside: what staff may change about plans, and how everyone reads them. */
import { PlanCodeSchema, planTermsShape } from '@bivouac/events/billing';
import { command, query, PageArgsSchema, pageSchema } from '@bivouac/events/language';
import { ChangesArgsSchema, ChangesSchema, LimitsSchema } from '@bivouac/events/operations';
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
  right: 'platform.manage',
  input: z.strictObject({ code: PlanCodeSchema, ...terms }),
  result,
});

/**
 * New terms for new orders, from `effectiveFrom` on, or from now; running subscriptions keep theirs.
 * With `forExisting` they get the new prices (not the limits) from their first month that begins
 * after that. Refusals: PLAN_UNKNOWN, PLAN_RETIRED, CURRENCIES_DIFFER, ZONE_UNKNOWN,
 * EFFECTIVE_DATE_PAST.
 */
export const ReplacePlanTerms = command({
  name: 'billing.ReplacePlanTerms',
  access: 'staff',
  right: 'platform.manage',
  input: z.strictObject({
    planId,
    ...terms,
    effectiveFrom: InstantSchema.optional(),
    forExisting: z.boolean().optional(),
  }),
  result,
});

/** No new orders for it; what runs on it goes on. Refusal: PLAN_UNKNOWN. */
export const RetirePlan = command({
  name: 'billing.RetirePlan',
  access: 'staff',
  right: 'platform.manage',
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
  /** Revision of the terms in force, as orders quote them, and since when they are. */
  revision: z.string(),
  effectiveFrom: InstantSchema,
  definedAt: InstantSchema,
  /** Position of its definition: the order of lists. */
  position: z.string(),
});
export type PlanView = z.output<typeof PlanViewSchema>;

/** The catalog, oldest plan first; the same for every tenant. Retired plans only when asked for. */
export const Plans = query({
  name: 'billing.Plans',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ page: PageArgsSchema, includeRetired: z.boolean().default(false) }),
  result: pageSchema(PlanViewSchema),
});

export const PlanById = query({
  name: 'billing.PlanById',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ planId }),
  result: PlanViewSchema.nullable(),
});

/** By code, in whatever case it is written. */
export const PlanByCode = query({
  name: 'billing.PlanByCode',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ code: PlanCodeSchema }),
  result: PlanViewSchema.nullable(),
});

export const PlanVersionSchema = z.object({
  planId,
  revision: z.string(),
  name: z.string(),
  limits: LimitsSchema,
  includedAddresses: z.number().int(),
  monthly: MoneySchema,
  setup: MoneySchema,
  extraAddressMonthly: MoneySchema,
  zone: z.string(),
  effectiveFrom: InstantSchema,
  /** Existing subscriptions get the prices from their next month on. */
  forExisting: z.boolean(),
  recordedAt: InstantSchema,
  position: z.string(),
});
export type PlanVersion = z.output<typeof PlanVersionSchema>;

/** A plan's versions as they were recorded, those ahead among them; the same for every tenant. */
export const PlanVersions = query({
  name: 'billing.PlanVersions',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ page: PageArgsSchema, planId }),
  result: pageSchema(PlanVersionSchema),
});

/** What changed about a plan. Null: there is none. */
export const PlanChanges = query({
  name: 'billing.PlanChanges',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ planId: idOf('plan'), page: ChangesArgsSchema }),
  result: ChangesSchema.nullable(),
});
