/** Members and API keys of a tenant. The hash of a key is answered to nobody. */
import { type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';

import { ApiKeys, Members } from '../api/index.ts';
import { apiKeys, members } from '../projections/access.ts';
import { accounts } from '../projections/accounts.ts';
import { opened } from './opening.ts';

export const accessQueries: readonly QueryHandler[] = [
  queryHandler(Members, async (view, { tenantId, page }, context) => {
    if (!context.reaches(tenantId) || view.get(accounts, tenantId) === undefined) return null;
    const found = pageOf(view, members, 'byTenant', [tenantId], page, () => true);
    const items = await Promise.all(
      found.items.map(async ({ cursor, node: row }) => {
        const { id, personId, role, addedAt, position } = row;
        const [email, name] = await Promise.all([
          opened(view, context, row.email),
          opened(view, context, row.name),
        ]);
        return {
          cursor,
          node: {
            id,
            tenantId,
            personId,
            role,
            email,
            name,
            addedAt,
            position,
          },
        };
      }),
    );
    return { ...found, items };
  }),

  queryHandler(ApiKeys, (view, { tenantId, page }, { reaches }) => {
    if (!reaches(tenantId) || view.get(accounts, tenantId) === undefined) return null;
    const found = pageOf(view, apiKeys, 'byTenant', [tenantId], page, () => true);
    return {
      ...found,
      items: found.items.map(({ cursor, node: { hash: _hash, ...shown } }) => ({
        cursor,
        node: shown,
      })),
    };
  }),
];
