/** Who is not a member and comes in all the same: the invited, and staff who act for a tenant. */
import {
  ActingEnded,
  ActingStarted,
  InvitationAccepted,
  InvitationWithdrawn,
  MemberInvited,
  type Role,
} from '@bivouac/events/accounts';
import type { Sealed } from '@bivouac/events/language';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

export interface InvitationRow {
  readonly id: string;
  readonly tenantId: string;
  readonly personId: string;
  readonly role: Role;
  readonly email: Sealed;
  readonly hash: string;
  readonly status: 'open' | 'accepted' | 'withdrawn';
  readonly invitedAt: string;
  readonly expiresAt: string;
  readonly position: string;
}

export const invitations = table<InvitationRow>()({
  name: 'invitations',
  key: (row) => row.id,
  indexes: { byTenant: (row) => [row.tenantId, row.position] },
});

export interface ActingRow {
  readonly id: string;
  readonly tenantId: string;
  readonly memberId: string;
  readonly reason: string;
  readonly startedAt: string;
  readonly endsAt: string;
  readonly endedAt: string | null;
  readonly position: string;
}

export const actings = table<ActingRow>()({
  name: 'actings',
  key: (row) => row.id,
  indexes: { byTenant: (row) => [row.tenantId, row.position] },
});

export const guestsProjection = projection({
  name: 'guests',
  tables: [invitations, actings],
  on: [
    on(MemberInvited, ({ data, time, position }, view) => {
      const { invitationId, tenantId, personId, role, email, hash, expiresAt } = data;
      view.put(invitations, {
        id: invitationId,
        ...{ tenantId, personId, role, email, hash, expiresAt },
        status: 'open',
        invitedAt: time,
        position,
      });
    }),
    on(InvitationAccepted, ({ data }, view) => {
      settle(view, data.invitationId, 'accepted');
    }),
    on(InvitationWithdrawn, ({ data }, view) => {
      settle(view, data.invitationId, 'withdrawn');
    }),
    on(ActingStarted, ({ data, time, position }, view) => {
      const { actingId, tenantId, memberId, reason, endsAt } = data;
      view.put(actings, {
        id: actingId,
        ...{ tenantId, memberId, reason, endsAt },
        startedAt: time,
        endedAt: null,
        position,
      });
    }),
    on(ActingEnded, ({ data, time }, view) => {
      const row = view.get(actings, data.actingId);
      if (row !== undefined) view.put(actings, { ...row, endedAt: time });
    }),
  ],
});

function settle(view: WritableView, id: string, status: InvitationRow['status']): void {
  const row = view.get(invitations, id);
  if (row !== undefined) view.put(invitations, { ...row, status });
}
