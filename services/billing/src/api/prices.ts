/** An issuer's own prices for plans of the catalog: a reseller's, for those it invoices. */
import { PlanCodeSchema, PriceSchema } from '@bivouac/events/billing';
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { idOf, InstantSchema, MoneySchema } from '@bivouac/events/values';
import { z } from 'zod';

const issuer = { issuerId: idOf('tenant'), issuerHomeId: idOf('tenant') } as const;
const result = z.strictObject({ issuerId: idOf('tenant'), planId: idOf('plan') });

/**
 * New orders of those the issuer invoices are quoted these prices from then on; what runs keeps its
 * own. Refusals: PLAN_UNKNOWN, CURRENCIES_DIFFER, EFFECTIVE_DATE_PAST, PROVIDER_HAS_CATALOG.
 */
export const SetPrice = command({
  name: 'billing.SetPrice',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({
    ...issuer,
    planCode: PlanCodeSchema,
    monthly: PriceSchema,
    setup: PriceSchema,
    extraAddressMonthly: PriceSchema,
    effectiveFrom: InstantSchema.optional(),
  }),
  result,
});

/** New orders cost what they cost the issuer itself. A plan without a price of its own: nothing. */
export const WithdrawPrice = command({
  name: 'billing.WithdrawPrice',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({ ...issuer, planCode: PlanCodeSchema }),
  result,
});

export const ListedPriceSchema = z.object({
  issuerId: idOf('tenant'),
  planId: idOf('plan'),
  planCode: z.string(),
  monthly: MoneySchema,
  setup: MoneySchema,
  extraAddressMonthly: MoneySchema,
  effectiveFrom: InstantSchema,
  /** When it was withdrawn; null while it stands. */
  withdrawnAt: InstantSchema.nullable(),
  position: z.string(),
});
export type ListedPrice = z.output<typeof ListedPriceSchema>;

/** An issuer's prices with their dates, oldest first. For whoever reaches the issuer. */
export const PriceList = query({
  name: 'billing.PriceList',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ page: PageArgsSchema, issuerId: idOf('tenant') }),
  result: pageSchema(ListedPriceSchema),
});
