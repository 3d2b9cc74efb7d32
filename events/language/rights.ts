/**
 * What a person may do, apart from whose things it is about (that is the reach of a principal). Each
 * contract that people may call names the right it takes; roles and keys are sets of rights
 * (`accounts/rights.ts` has the roles).
 */
import { z } from 'zod';

/**
 * Every right.
 *
 * - `account.read`, `account.manage`: tenants, members, invitations, keys
 * - `containers.read`, `containers.order` (what changes the bill), `containers.operate` (what does not)
 * - `billing.read`, `billing.manage` (an issuer's money: fees, payments, credit, prices, months)
 * - `history.read`: who did what, when
 * - `invitation.accept`: becoming a member; of an invitation's token alone, never of a role
 * - `customers.manage`: the provider's customers: created, held, limited, closed
 * - `platform.read`, `platform.manage`: nodes, images, address ranges, catalog, package repositories
 * - `operations.repair`: what needs a person
 */
export const RightSchema = z.enum([
  'account.read',
  'account.manage',
  'containers.read',
  'containers.order',
  'containers.operate',
  'billing.read',
  'billing.manage',
  'history.read',
  'invitation.accept',
  'customers.manage',
  'platform.read',
  'platform.manage',
  'operations.repair',
]);
export type Right = z.output<typeof RightSchema>;

/** Rights that only the provider's roles have. */
const ofStaff: ReadonlySet<Right> = new Set([
  'customers.manage',
  'platform.read',
  'platform.manage',
  'operations.repair',
]);

/** Whether only the provider's people can have a right. */
export function isOfStaff(right: Right): boolean {
  return ofStaff.has(right);
}

/** What a principal may do: `all` for the host's own (policies, timers, nodes), never for people. */
export type Rights = 'all' | ReadonlySet<Right>;

/** Whether a right is among those held. */
export function mayUse(held: Rights, right: Right): boolean {
  return held === 'all' || held.has(right);
}
