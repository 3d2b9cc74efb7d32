/** What the outside may ask quotas. A tenant the caller does not reach is answered as missing. */
import { PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { HistoryArgsSchema, HistoryPageSchema } from '@bivouac/events/operations';
import { axes, idOf, InstantSchema, ResourceVectorSchema } from '@bivouac/events/values';
import { z } from 'zod';

/** A whole number as decimal text, whatever the axis. */
const amount = z.string().regex(/^(0|[1-9]\d*)$/);

export const QuotaAxisSchema = z.object({
  axis: z.enum(axes),
  /** The tenant's own limit; null where it has none. */
  limit: amount.nullable(),
  /** All that it and those below it have taken, committed or only reserved. */
  used: amount,
  /** The part of `used` that is reserved and not yet committed. */
  reserved: amount,
  /** How much more fits on every level up to the home; null where no level has a limit. */
  available: amount.nullable(),
  /** `available` is decided by a level above, not by the tenant's own limit. */
  inherited: z.boolean(),
});

export const QuotaViewSchema = z.object({
  tenantId: idOf('tenant'),
  homeId: idOf('tenant'),
  /** The tenant above it in the ledger; null for the home. */
  parentId: idOf('tenant').nullable(),
  /** When the tenant's own limit ends and the lasting one is in force again; null: it lasts. */
  limitUntil: InstantSchema.nullable(),
  axes: z.array(QuotaAxisSchema),
});
export type QuotaView = z.output<typeof QuotaViewSchema>;

/** Null for the provider, which has no ledger, and for tenants out of reach. */
export const QuotaOf = query({
  name: 'quotas.QuotaOf',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ tenantId: idOf('tenant') }),
  result: QuotaViewSchema.nullable(),
});

export const ReservationViewSchema = z.object({
  id: idOf('reservation'),
  tenantId: idOf('tenant'),
  vector: ResourceVectorSchema,
  /** The reservation whose place it is to take; the larger of both counts until then. */
  replaces: idOf('reservation').nullable(),
  status: z.enum(['reserved', 'overdue', 'committed']),
  reservedAt: InstantSchema,
  committedAt: InstantSchema.nullable(),
  /** Position of its event: the order of lists. */
  position: z.string(),
});
export type ReservationView = z.output<typeof ReservationViewSchema>;

/** What a tenant itself holds now, oldest first; what was released is in the history only. */
export const ReservationsOf = query({
  name: 'quotas.ReservationsOf',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({
    tenantId: idOf('tenant'),
    page: PageArgsSchema,
  }),
  result: pageSchema(ReservationViewSchema).nullable(),
});

/** Most days in one answer. */
export const MOST_QUOTA_DAYS = 744;

export const QuotaDaySchema = z.object({
  /** The day's beginning in UTC. */
  start: InstantSchema,
  axes: z.array(
    z.object({
      axis: z.enum(axes),
      /** The tenant's own limit when it was looked at last; null where it had none. */
      limit: amount.nullable(),
      /** The most that was taken by it and those below, as it was looked at each hour. */
      used: amount,
    }),
  ),
});
export type QuotaDay = z.output<typeof QuotaDaySchema>;

/**
 * What a tenant had taken of its quota, day by day, oldest first: looked at whenever an hour of use is
 * rolled up, so days without containers are not there. Null where it is out of reach.
 */
export const QuotaDays = query({
  name: 'quotas.QuotaDays',
  access: 'tenant',
  right: 'account.read',
  input: z
    .strictObject({ tenantId: idOf('tenant'), from: InstantSchema, to: InstantSchema })
    .refine(
      ({ from, to }) =>
        from <= to && Date.parse(to) - Date.parse(from) <= MOST_QUOTA_DAYS * 86_400_000,
      {
        error: `expected an end after the beginning, with at most ${MOST_QUOTA_DAYS} days between`,
        path: ['to'],
      },
    ),
  result: z.array(QuotaDaySchema).nullable(),
});

/** What happened in a tree's ledger; null for a home the caller does not reach. */
export const LedgerHistory = query({
  name: 'quotas.LedgerHistory',
  access: 'tenant',
  right: 'history.read',
  input: z.strictObject({ homeId: idOf('tenant'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});
