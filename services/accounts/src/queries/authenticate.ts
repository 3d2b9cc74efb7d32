/** Who presents an API key. Says nothing about a key to whoever cannot prove to hold it. */
import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';

import { rightsOf, type Role, type TenantKind } from '@bivouac/events/accounts';
import { type Audience, refuse } from '@bivouac/events/language';
import { type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import { Authenticate } from '../api/index.ts';
import { apiKeys, members } from '../projections/access.ts';
import { accounts, reaches } from '../projections/accounts.ts';
import { isErased } from '../projections/persons.ts';

export const authenticate: QueryHandler = queryHandler(
  Authenticate,
  (view, { keyId, keyHash }, context) => {
    const key = view.get(apiKeys, keyId);
    // Compared also where there is no such key, and in constant time: an answer tells neither
    // whether the id exists nor how much of a hash was right.
    const proven = equal(keyHash, key?.hash ?? NO_HASH);
    const member = key === undefined ? undefined : view.get(members, key.memberId);
    const account = key === undefined ? undefined : view.get(accounts, key.tenantId);
    if (!proven || key === undefined || member === undefined || account === undefined) {
      return refuse('KEY_UNKNOWN', 'This API key is not known; check it or create a new one.');
    }
    if (key.revokedAt !== null) {
      return refuse('KEY_REVOKED', 'This API key was revoked; create a new one.', {
        details: { revokedAt: key.revokedAt },
      });
    }
    if (isErased(view, member.personId, 'contact')) {
      return refuse(
        'KEY_REVOKED',
        'The person this API key was for is erased; have another member make one.',
      );
    }
    if (key.expiresAt !== null && key.expiresAt <= context.now()) {
      return refuse('KEY_EXPIRED', 'This API key has expired; create a new one.', {
        details: { expiresAt: key.expiresAt },
      });
    }
    return {
      keyId,
      memberId: member.id,
      personId: member.personId,
      tenantId: account.id,
      homeId: account.homeId,
      kind: account.kind,
      role: member.role,
      audience: audienceOf(account.kind, member.role),
      reach: account.kind === 'provider' ? ('all' as const) : below(view, account.id),
      rights: [...rightsOf(member.role, account.kind)],
      expiresAt: key.expiresAt,
    };
  },
);

const NO_HASH = '0'.repeat(64);

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
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
