/** Who presents a secret. Says nothing about a key to whoever cannot prove to hold it. */
import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';

import type { Role, TenantKind } from '@bivouac/events/accounts';
import { type Audience, refuse } from '@bivouac/events/language';
import { type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import { Authenticate, AuthenticateInvitation } from '../api/index.ts';
import { actingRights, effectiveRights } from '../domain/effective-rights.ts';
import { invited } from '../domain/members.ts';
import { type ApiKeyRow, apiKeys, members } from '../projections/access.ts';
import { type AccountRow, accounts, reaches } from '../projections/accounts.ts';
import { actings, invitations } from '../projections/guests.ts';
import { isErased } from '../projections/persons.ts';

export const authenticate: QueryHandler = queryHandler(
  Authenticate,
  (view, { keyId, keyHash, actingId }, context) => {
    const now = context.now();
    const key = view.get(apiKeys, keyId);
    const proven = until(key, keyHash);
    const member = key === undefined ? undefined : view.get(members, key.memberId);
    const account = key === undefined ? undefined : view.get(accounts, key.tenantId);
    if (proven === undefined || key === undefined || member === undefined || account === undefined)
      return unknown();
    if (key.revokedAt !== null) {
      return refuse('KEY_REVOKED', 'This API key was revoked; create a new one.', {
        details: { revokedAt: key.revokedAt },
      });
    }
    if (member.removedAt !== null) {
      return refuse(
        'KEY_REVOKED',
        'The member of this API key was removed from the account; ask one of its owners.',
        { details: { revokedAt: member.removedAt } },
      );
    }
    if (isErased(view, member.personId, 'contact')) return erasedRefusal();
    const expiresAt = sooner(key.expiresAt, proven.until);
    if (expiresAt !== null && expiresAt <= now) {
      return refuse('KEY_EXPIRED', 'This API key has expired; create a new one.', {
        details: { expiresAt },
      });
    }
    const caller = { keyId, memberId: member.id, personId: member.personId, role: member.role };
    const rights = effectiveRights(member.role, account, key.scopes);
    if (actingId !== undefined) {
      const session = view.get(actings, actingId);
      const tenant = session === undefined ? undefined : view.get(accounts, session.tenantId);
      const may = rights.includes('customers.manage');
      if (session?.memberId !== member.id || tenant === undefined || !may) {
        return refuse(
          'ACTING_UNKNOWN',
          'There is no such session of yours to act in; start one, or leave the header out.',
        );
      }
      const endsAt = session.endedAt ?? session.endsAt;
      if (endsAt <= now) {
        return refuse('ACTING_ENDED', 'The session you act in has ended; start another.', {
          details: { endsAt },
        });
      }
      return {
        ...caller,
        ...standing(view, tenant, member.role),
        rights: actingRights(tenant, key.scopes),
        expiresAt: sooner(expiresAt, session.endsAt),
        acting: actingId,
      };
    }
    return {
      ...caller,
      ...standing(view, account, member.role),
      rights,
      expiresAt,
      acting: null,
    };
  },
);

export const authenticateInvitation: QueryHandler = queryHandler(
  AuthenticateInvitation,
  (view, { invitationId, tokenHash }, context) => {
    const invitation = view.get(invitations, invitationId);
    const proven = equal(tokenHash, invitation?.hash ?? NO_HASH);
    const account = invitation === undefined ? undefined : view.get(accounts, invitation.tenantId);
    if (!proven || invitation === undefined || account === undefined) return unknown();
    const { personId, role, expiresAt, status } = invitation;
    if (isErased(view, personId, 'contact')) return erasedRefusal();
    if (status === 'withdrawn') {
      return refuse(
        'KEY_REVOKED',
        'This invitation was withdrawn; ask whoever invited you for another.',
      );
    }
    if (expiresAt <= context.now()) {
      return refuse(
        'KEY_EXPIRED',
        'This invitation has expired; ask whoever invited you for another.',
        { details: { expiresAt } },
      );
    }
    return {
      keyId: invitationId,
      memberId: invited(invitationId).memberId,
      personId,
      role,
      tenantId: account.id,
      homeId: account.homeId,
      kind: account.kind,
      audience: 'customer' as const,
      reach: [account.id],
      rights: ['invitation.accept' as const],
      expiresAt,
      acting: null,
    };
  },
);

const NO_HASH = '0'.repeat(64);

function unknown() {
  return refuse('KEY_UNKNOWN', 'This API key is not known; check it or create a new one.');
}

function erasedRefusal() {
  return refuse('KEY_REVOKED', 'The person this was for is erased; another member is needed.');
}

/**
 * Until when the secret opens, undefined where it is none of the key's. All are compared, also where
 * there is no such key, and in constant time: an answer tells neither whether the id exists nor how
 * much of a hash was right.
 */
function until(
  key: ApiKeyRow | undefined,
  hash: string,
): { readonly until: string | null } | undefined {
  let found: { readonly until: string | null } | undefined;
  for (const earlier of key?.earlier ?? []) {
    if (equal(hash, earlier.hash)) found = { until: earlier.until };
  }
  return equal(hash, key?.hash ?? NO_HASH) ? { until: null } : found;
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}

function sooner(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function standing(view: View, account: AccountRow, role: Role) {
  const { kind } = account;
  return {
    tenantId: account.id,
    homeId: account.homeId,
    kind,
    audience: audienceOf(kind, role),
    reach: kind === 'provider' ? ('all' as const) : below(view, account.id),
  };
}

/** Whoever acts for the provider acts as its staff; its auditors see everything and change nothing. */
function audienceOf(kind: TenantKind, role: Role): Audience {
  switch (kind) {
    case 'provider':
      return role === 'auditor' ? 'auditor' : 'staff';
    case 'reseller':
      return 'reseller';
    case 'customer':
    case 'sub-account':
      return 'customer';
  }
}

/** The tenant and all below it, as far as any hold or right can reach. */
function below(view: View, tenantId: string): string[] {
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const chunk = view.range(reaches, 'byAncestor', [tenantId], { after, limit: 500 });
    ids.push(...chunk.map((item) => item.row.tenantId));
    after = chunk.at(-1)?.cursor;
    if (chunk.length < 500) return ids;
  }
}
