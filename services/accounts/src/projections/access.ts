/** Members and API keys: who may come in, with personal fields sealed as the log has them. */
import { ApiKeyCreated, ApiKeyRevoked, MemberAdded, type Role } from '@bivouac/events/accounts';
import type { Sealed } from '@bivouac/events/language';
import { on, projection } from '@bivouac/infra/runtime';
import { table } from '@bivouac/infra/views';

export interface MemberRow {
  readonly id: string;
  readonly tenantId: string;
  readonly personId: string;
  readonly role: Role;
  readonly email: Sealed;
  readonly name: Sealed;
  readonly addedAt: string;
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
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
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
        tenantId,
        personId,
        role,
        email,
        name,
        addedAt: time,
        position,
      });
    }),
    on(ApiKeyCreated, ({ data, time, position }, view) => {
      const { keyId, tenantId, memberId, label, hash, expiresAt } = data;
      view.put(apiKeys, {
        id: keyId,
        tenantId,
        memberId,
        label,
        hash,
        createdAt: time,
        expiresAt,
        revokedAt: null,
        position,
      });
    }),
    on(ApiKeyRevoked, ({ data, time }, view) => {
      const row = view.get(apiKeys, data.keyId);
      if (row !== undefined) view.put(apiKeys, { ...row, revokedAt: time });
    }),
  ],
});
