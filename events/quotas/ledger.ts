/**
 * Events of a tree's quota ledger, `ledger-<home tenant id>`: limits of its tenants and what is
 * reserved against them. What is reserved counts as used at once, on every level up to the home.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { AskRefSchema } from '../operations/index.ts';
import { idOf, InstantSchema, ResourceVectorSchema } from '../values/index.ts';

const tenantId = customer(idOf('tenant'));
const homeId = customer(idOf('tenant'));
const reservationId = customer(idOf('reservation'));
const vector = customer(ResourceVectorSchema);
/** The ask it was reserved for: whom to ask when it is overdue. */
const ask = staff(AskRefSchema.optional());

/** The tenant has a place in the ledger; without a limit of its own until one is set. */
export const TenantOpened = event(
  'quotas.TenantOpened',
  z.strictObject({
    tenantId,
    homeId,
    /** The tenant above it in the ledger; null for the home. */
    parentId: customer(idOf('tenant').nullable()),
  }),
);

export const LimitSet = event(
  'quotas.LimitSet',
  z.strictObject({
    tenantId,
    homeId,
    /** Null: no limit of its own; those above it still bind. */
    limit: customer(ResourceVectorSchema.nullable()),
    previous: customer(ResourceVectorSchema.nullable()),
    reason: staff(z.string().min(1).max(500)),
    /** It ends then, and the limit that was set to last is in force again. */
    until: customer(InstantSchema.optional()),
  }),
);

/** A limit that was set for a time has ended. */
export const LimitExpired = event(
  'quotas.LimitExpired',
  z.strictObject({
    tenantId,
    homeId,
    /** In force from now on. */
    limit: customer(ResourceVectorSchema.nullable()),
    previous: customer(ResourceVectorSchema.nullable()),
    /** When it was to end. */
    until: customer(InstantSchema),
  }),
);

/** Taken for an order under way. Overdue when neither committed nor released in time. */
export const Reserved = event(
  'quotas.Reserved',
  z.strictObject({ reservationId, tenantId, homeId, vector, notAfter: staff(InstantSchema), ask }),
);

/** The order came through: what was reserved stays used until it is released. */
export const Committed = event(
  'quotas.Committed',
  z.strictObject({ reservationId, tenantId, homeId, vector }),
);

/**
 * A reservation is to take the place of another, e.g. for a resize. Until it does, the larger of both
 * counts on every axis: `taken` is what this one adds to what the other holds.
 */
export const TransferReserved = event(
  'quotas.TransferReserved',
  z.strictObject({
    reservationId,
    fromReservationId: customer(idOf('reservation')),
    tenantId,
    homeId,
    /** What it holds once it has taken the other's place. */
    vector,
    taken: customer(ResourceVectorSchema),
    notAfter: staff(InstantSchema),
    ask,
  }),
);

/** It has taken the other's place, and is committed. The other holds nothing any more. */
export const Transferred = event(
  'quotas.Transferred',
  z.strictObject({
    reservationId,
    fromReservationId: customer(idOf('reservation')),
    tenantId,
    homeId,
    vector,
    /** The part that had been reserved for it, and is final now. */
    taken: customer(ResourceVectorSchema),
    /** What the other held beyond `vector`: given back. */
    freed: customer(ResourceVectorSchema),
  }),
);

/** Given back, once. */
export const Released = event(
  'quotas.Released',
  z.strictObject({
    reservationId,
    tenantId,
    homeId,
    /** What it counted; less than it held where another is taking its place, which keeps that part. */
    vector,
    /** Whether it had been committed. */
    committed: customer(z.boolean()),
  }),
);

/** Released before it was made: a late reserve under this id is refused for ever. */
export const ReservationVoided = event(
  'quotas.ReservationVoided',
  z.strictObject({ reservationId, homeId }),
);

/** Nobody committed or released it in time. It stays; its operation is asked about it. */
export const ReservationOverdue = event(
  'quotas.ReservationOverdue',
  z.strictObject({ reservationId, tenantId, homeId, vector, notAfter: staff(InstantSchema), ask }),
);

export const ledgerEvents = [
  TenantOpened,
  LimitSet,
  LimitExpired,
  Reserved,
  Committed,
  TransferReserved,
  Transferred,
  Released,
  ReservationVoided,
  ReservationOverdue,
] as const;
