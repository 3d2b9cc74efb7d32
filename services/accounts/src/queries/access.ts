/**
 * Members, keys, invitations and sessions of staff of a tenant. Hashes are answered to nobody; what
 * is sealed is opened here, at the edge.
 */
import { type QueryContext, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type View } from '@bivouac/infra/views';

import { Actings, ApiKeys, Invitations, type InvitationView, Members } from '../api/index.ts';
import { apiKeys, members } from '../projections/access.ts';
import { accounts } from '../projections/accounts.ts';
import { actings, type InvitationRow, invitations } from '../projections/guests.ts';
import { opened } from './opening.ts';

export const accessQueries: readonly QueryHandler[] = [
  queryHandler(Members, async (view, { tenantId, page }, context) => {
    if (isWalled(view, tenantId, context)) return null;
    const found = pageOf(
      view,
      members,
      'byTenant',
      [tenantId],
      page,
      (row) => row.removedAt === null,
    );
    const items = await Promise.all(
      found.items.map(async ({ cursor, node: { removedAt: _removedAt, ...row } }) => {
        const [email, name] = await Promise.all([
          opened(view, context, row.email),
          opened(view, context, row.name),
        ]);
        return { cursor, node: { ...row, email, name } };
      }),
    );
    return { ...found, items };
  }),

  queryHandler(Invitations, async (view, { tenantId, page }, context) => {
    if (isWalled(view, tenantId, context)) return null;
    const found = pageOf(view, invitations, 'byTenant', [tenantId], page, () => true);
    const items = await Promise.all(
      found.items.map(async ({ cursor, node: { hash: _hash, ...row } }) => ({
        cursor,
        node: {
          ...row,
          email: await opened(view, context, row.email),
          status: statusOf(row, context.now()),
        },
      })),
    );
    return { ...found, items };
  }),

  queryHandler(ApiKeys, (view, { tenantId, page }, context) => {
    if (isWalled(view, tenantId, context)) return null;
    const found = pageOf(view, apiKeys, 'byTenant', [tenantId], page, () => true);
    return {
      ...found,
      items: found.items.map(({ cursor, node }) => {
        const { hash: _hash, earlier: _earlier, scopes, ...shown } = node;
        return { cursor, node: { ...shown, scopes: scopes === null ? null : [...scopes] } };
      }),
    };
  }),

  queryHandler(Actings, (view, { tenantId, page }, context) => {
    if (isWalled(view, tenantId, context)) return null;
    const found = pageOf(view, actings, 'byTenant', [tenantId], page, () => true);
    return {
      ...found,
      items: found.items.map(({ cursor, node: { endedAt, ...row } }) => ({
        cursor,
        node: { ...row, endsAt: endedAt ?? row.endsAt },
      })),
    };
  }),
];

function isWalled(view: View, tenantId: string, { reaches }: QueryContext): boolean {
  return !reaches(tenantId) || view.get(accounts, tenantId) === undefined;
}

function statusOf(
  { status, expiresAt }: Pick<InvitationRow, 'status' | 'expiresAt'>,
  now: string,
): InvitationView['status'] {
  return status === 'open' && expiresAt <= now ? 'expired' : status;
}
