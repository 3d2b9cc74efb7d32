/** Members and API keys: who may come in, with personal fields sealed as the log has them. */
import {
  ApiKeyCreated,
  ApiKeyRevoked,
  ApiKeyRotated,
  ApiKeyUsed,
  MemberAdded,
  MemberRemoved,
  MemberRoleChanged,
  type Role,
} from '@bivouac/events/accounts';
import type { Right, Sealed } from '@bivouac/events/language';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

export interface MemberRow {
  readonly id: string;
  readonly tenantId: string;
  readonly personId: string;
  readonly role: Role;
  readonly email: Sealed;
  readonly name: Sealed;
  readonly addedAt: string;
  /** Kept when removed: a key of theirs is told from one that never was. */
  readonly removedAt: string | null;
  readonly position: string;
}

export const members = table<MemberRow>()({
  name: 'members',
  key: (row) => row.id,
  indexes: { byTenant: (row) => [row.tenantId, row.position] },
});

export interface ApiKeyRow {
  readonly id: string;
  readonly tenantId: string;
  readonly memberId: string;
  readonly label: string;
  readonly hash: string;
  /** Secrets before the present one, with the instant from which each opens nothing. */
  readonly earlier: readonly { readonly hash: string; readonly until: string }[];
  /** Null: all that the member's role may. */
  readonly scopes: readonly Right[] | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly rotatedAt: string | null;
  readonly usedOn: string | null;
  readonly position: string;
}

export const apiKeys = table<ApiKeyRow>()({
  name: 'api_keys',
  key: (row) => row.id,
  indexes: { byTenant: (row) => [row.tenantId, row.position] },
});

export const accessProjection = projection({
  name: 'access',
  tables: [members, apiKeys],
  on: [
    on(MemberAdded, ({ data, time, position }, view) => {
      const { memberId, tenantId, personId, role, email, name } = data;
      view.put(members, {
        id: memberId,
        ...{ tenantId, personId, role, email, name },
        addedAt: time,
        removedAt: null,
        position,
      });
    }),
    on(MemberRoleChanged, ({ data }, view) => {
      changeMember(view, data.memberId, { role: data.role });
    }),
    on(MemberRemoved, ({ data, time }, view) => {
      changeMember(view, data.memberId, { removedAt: time });
    }),
    on(ApiKeyCreated, ({ data, time, position }, view) => {
      const { keyId, tenantId, memberId, label, hash, expiresAt } = data;
      view.put(apiKeys, {
        id: keyId,
        ...{ tenantId, memberId, label, hash },
        earlier: [],
        scopes: data.scopes ?? null,
        createdAt: time,
        expiresAt,
        revokedAt: null,
        rotatedAt: null,
        usedOn: null,
        position,
      });
    }),
    on(ApiKeyRotated, ({ data: { keyId, hash, earlierUntil }, time }, view) => {
      const row = view.get(apiKeys, keyId);
      if (row === undefined) return;
      const earlier = [...row.earlier, { hash: row.hash, until: earlierUntil }]
        .map((secret) => ({
          hash: secret.hash,
          until: secret.until < earlierUntil ? secret.until : earlierUntil,
        }))
        .filter((secret) => secret.until > time);
      view.put(apiKeys, { ...row, hash, earlier, rotatedAt: time });
    }),
    on(ApiKeyUsed, ({ data }, view) => {
      changeKey(view, data.keyId, { usedOn: data.day });
    }),
    on(ApiKeyRevoked, ({ data, time }, view) => {
      changeKey(view, data.keyId, { revokedAt: time });
    }),
  ],
});

function changeMember(view: WritableView, id: string, change: Partial<MemberRow>): void {
  const row = view.get(members, id);
  if (row !== undefined) view.put(members, { ...row, ...change });
}

function changeKey(view: WritableView, id: string, change: Partial<ApiKeyRow>): void {
  const row = view.get(apiKeys, id);
  if (row !== undefined) view.put(apiKeys, { ...row, ...change });
}
