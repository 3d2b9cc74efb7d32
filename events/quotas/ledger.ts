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

/** Given back, once. */
export const Released = event(
  'quotas.Released',
  z.strictObject({
    reservationId,
    tenantId,
    homeId,
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
  Reserved,
  Committed,
  Released,
  ReservationVoided,
  ReservationOverdue,
] as const;
