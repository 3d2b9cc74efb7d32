/**
 * What each role may do. A role is held with one tenant and counts there and in everything below it;
 * the provider's members act as its staff.
 */
import { type Right, RightSchema } from '../language/index.ts';
import type { Role } from './member.ts';
import type { TenantKind } from './tree.ts';

const reading = ['account.read', 'containers.read', 'billing.read', 'history.read'] as const;
const tenants = [...reading, 'account.manage', 'containers.order', 'containers.operate'] as const;

/** Of every tenant but the provider. An issuer's own money is managed where there is somebody below. */
const ofTenants: Readonly<Record<Role, readonly Right[]>> = {
  owner: [...tenants, 'billing.manage'],
  admin: [...tenants, 'billing.manage'],
  member: [
    'account.read',
    'containers.read',
    'containers.order',
    'containers.operate',
    'history.read',
  ],
  technician: ['account.read', 'containers.read', 'containers.operate', 'history.read'],
  billing: ['account.read', 'containers.read', 'billing.read', 'billing.manage'],
  auditor: reading,
  staff: [],
};

/** All a person of the provider can hold: accepting is for whoever was invited. */
const everything = RightSchema.options.filter((right) => right !== 'invitation.accept');

/** Of the provider. */
const ofProvider: Readonly<Record<Role, readonly Right[]>> = {
  owner: everything,
  admin: everything,
  staff: everything,
  member: [...reading, 'containers.order', 'containers.operate', 'platform.read'],
  technician: [
    'account.read',
    'containers.read',
    'containers.operate',
    'history.read',
    'platform.read',
    'platform.manage',
    'operations.repair',
  ],
  billing: ['account.read', 'containers.read', 'billing.read', 'billing.manage', 'platform.read'],
  auditor: [...reading, 'platform.read'],
};

/** What is left of an account that was closed: its people read what there is, and change nothing. */
export const readingRights: ReadonlySet<Right> = new Set(reading);

/** The rights of a role with a tenant of a kind. */
export function rightsOf(role: Role, kind: TenantKind): readonly Right[] {
  return kind === 'provider' ? ofProvider[role] : ofTenants[role];
}
