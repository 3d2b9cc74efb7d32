/**
 * What quotas can be told. Staff set limits; everything else comes from policies, from timers and
 * from operations, and is idempotent for ever by the id it names.
 */
import { command } from '@bivouac/events/language';
import { AskRefSchema } from '@bivouac/events/operations';
import { idOf, InstantSchema, ResourceVectorSchema } from '@bivouac/events/values';
import { z } from 'zod';

const tenantId = idOf('tenant');
/** The home of the tenant's tree: the ledger's stream is its. */
const homeId = idOf('tenant');
const reservationId = idOf('reservation');

/**
 * Sets what a tenant and all below it may use together; null takes its own limit away. Below what
 * is in use it is recorded all the same: nothing new fits then, nothing is taken away. With `until`
 * it ends then, and what was set to last is in force again.
 * From above: nobody decides what binds themselves.
 * Refused: TENANT_UNKNOWN, NOT_BELOW_YOU, LIMIT_ENDS_IN_THE_PAST.
 */
export const SetLimit = command({
  name: 'quotas.SetLimit',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({
    tenantId,
    homeId,
    limit: ResourceVectorSchema.nullable(),
    reason: z.string().trim().min(1).max(500),
    until: InstantSchema.optional(),
  }),
  result: z.strictObject({ tenantId, limit: ResourceVectorSchema.nullable() }),
});

/** Sent by a timer: ends a limit that was set for a time. Refused: LIMIT_NOT_ENDED. */
export const ExpireLimit = command({
  name: 'quotas.ExpireLimit',
  access: 'internal',
  input: z.strictObject({ tenantId, homeId, until: InstantSchema }),
  result: z.strictObject({ tenantId }),
});

/** Refused: PARENT_UNKNOWN, TENANT_PLACED_ELSEWHERE. */
export const OpenTenant = command({
  name: 'quotas.OpenTenant',
  access: 'internal',
  input: z.strictObject({
    tenantId,
    homeId,
    /** The tenant above it in its tree; null for the home. */
    parentId: idOf('tenant').nullable(),
  }),
  result: z.strictObject({ tenantId }),
});

/**
 * Takes room on every level from the tenant up to its home, or on none. Refused: TENANT_UNKNOWN,
 * QUOTA_EXCEEDED, RESERVATION_LATE, RESERVATION_ENDED, RESERVATION_DIFFERS.
 */
export const Reserve = command({
  name: 'quotas.Reserve',
  access: 'internal',
  input: z.strictObject({
    reservationId,
    tenantId,
    homeId,
    vector: ResourceVectorSchema,
    /** Refused after this instant; overdue a grace later. */
    notAfter: InstantSchema,
    ask: AskRefSchema.optional(),
  }),
  result: z.strictObject({ reservationId }),
});

/**
 * Reserves what is to take another reservation's place; {@link Commit} lets it, {@link Release} leaves
 * the other as it was. Refused: QUOTA_EXCEEDED, RESERVATION_UNKNOWN, RESERVATION_NOT_COMMITTED,
 * TRANSFER_UNDER_WAY, RESERVATION_LATE, RESERVATION_ENDED, RESERVATION_DIFFERS, TENANT_UNKNOWN.
 */
export const Transfer = command({
  name: 'quotas.Transfer',
  access: 'internal',
  input: z.strictObject({
    reservationId,
    fromReservationId: idOf('reservation'),
    tenantId,
    homeId,
    vector: ResourceVectorSchema,
    notAfter: InstantSchema,
    ask: AskRefSchema.optional(),
  }),
  result: z.strictObject({ reservationId }),
});

/** Refused: RESERVATION_UNKNOWN, RESERVATION_ENDED. */
export const Commit = command({
  name: 'quotas.Commit',
  access: 'internal',
  input: z.strictObject({ reservationId, homeId }),
  result: z.strictObject({ reservationId }),
});

/** Never refused: one given back before changes nothing, one never made is voided. */
export const Release = command({
  name: 'quotas.Release',
  access: 'internal',
  input: z.strictObject({ reservationId, homeId }),
  result: z.strictObject({ reservationId }),
});

/** Sent by a timer: says that a reservation is overdue. Refused: RESERVATION_NOT_DUE. */
export const FlagOverdue = command({
  name: 'quotas.FlagOverdue',
  access: 'internal',
  input: z.strictObject({ reservationId, homeId }),
  result: z.strictObject({ reservationId }),
});
