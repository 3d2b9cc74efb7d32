/** A member: a person who acts for one tenant in a role. */
import {
  MemberAdded,
  type memberEvents,
  type Role,
  type TenantKind,
} from '@bivouac/events/accounts';
import { accept, type Decision, type EventOf, refuse, type Sealed } from '@bivouac/events/language';

import { tenantClosed, tenantUnknown } from './tree.ts';

export function memberStream(memberId: string): string {
  return `member-${memberId}`;
}

export interface MemberState {
  added:
    | {
        readonly memberId: string;
        readonly personId: string;
        readonly tenantId: string;
        readonly homeId: string;
        readonly role: Role;
      }
    | undefined;
}

export function noMember(): MemberState {
  return { added: undefined };
}

export function evolveMember(
  state: MemberState,
  event: EventOf<(typeof memberEvents)[number]>,
): MemberState {
  const { memberId, personId, tenantId, homeId, role } = event.data;
  state.added = { memberId, personId, tenantId, homeId, role };
  return state;
}

/** A tenant as its tree knew it just before; undefined where the tree does not have it. */
export type KnownTenant = { readonly kind: TenantKind; readonly closed: boolean } | undefined;

export function addMember(
  state: MemberState,
  input: {
    readonly memberId: string;
    readonly tenantId: string;
    readonly homeId: string;
    readonly role: Role;
    readonly tenant: KnownTenant;
    /** Sealed under the person's key; undefined where the tenant is unknown: nothing was sealed. */
    readonly contact:
      { readonly personId: string; readonly email: Sealed; readonly name: Sealed } | undefined;
  },
): Decision {
  const { tenant, contact, memberId, tenantId, homeId, role } = input;
  if (tenant === undefined || contact === undefined) return tenantUnknown(['tenantId']);
  if (tenant.closed) return tenantClosed(tenantId, ['tenantId']);
  if (role === 'staff' && tenant.kind !== 'provider') {
    return refuse(
      'ROLE_NOT_ALLOWED',
      'Only the provider has staff; choose owner or technician for this member.',
      { path: ['role'] },
    );
  }
  if (state.added !== undefined) {
    return refuse('MEMBER_EXISTS', 'This member exists already; use another idempotency key.');
  }
  return accept(MemberAdded({ memberId, tenantId, homeId, role, ...contact }));
}
