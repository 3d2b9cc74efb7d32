/** Accounts by reach, one account, its tree. Sealed contacts are opened here, at the edge. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { type QueryContext, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type View } from '@bivouac/infra/views';

import {
  AccountById,
  type AccountFilter,
  Accounts,
  type AccountView,
  TreeOf,
} from '../api/index.ts';
import { type AccountRow, accounts, pathOf, reaches } from '../projections/accounts.ts';
import { opened } from './opening.ts';

export const accountQueries: readonly QueryHandler[] = [
  queryHandler(Accounts, async (view, { page, filter = {} }, context) => {
    const { reach, tenantId } = context.principal;
    const { parentId } = filter;
    // What is below an account is one range; only the provider's is the whole platform.
    const top = parentId !== undefined && parentId !== PROVIDER_ID ? parentId : tenantId;
    const found =
      reach === 'all' && (parentId === undefined || parentId === PROVIDER_ID)
        ? pageOf(view, accounts, 'byPosition', [], page, (row) => isWanted(view, row, filter))
        : pageOf(view, reaches, 'byAncestor', [top], page, (row) => {
            const account = context.reaches(row.tenantId)
              ? view.get(accounts, row.tenantId)
              : undefined;
            return account !== undefined && isWanted(view, account, filter);
          });
    const items = await Promise.all(
      found.items.map(async ({ cursor, node }) => {
        const row = 'ancestorId' in node ? view.get(accounts, node.tenantId) : node;
        return row === undefined ? [] : [{ cursor, node: await accountView(view, row, context) }];
      }),
    );
    return { ...found, items: items.flat() };
  }),

  queryHandler(AccountById, async (view, { tenantId }, context) => {
    const row = context.reaches(tenantId) ? view.get(accounts, tenantId) : undefined;
    return row === undefined ? null : accountView(view, row, context);
  }),

  queryHandler(TreeOf, (view, { tenantId }, context) => {
    const row = context.reaches(tenantId) ? view.get(accounts, tenantId) : undefined;
    if (row === undefined) return null;
    return {
      homeId: row.homeId,
      tenants: wholeTree(view, row.homeId)
        .filter((tenant) => context.reaches(tenant.id))
        .map(({ id, parentId, kind, name, closed }) => ({ id, parentId, kind, name, closed })),
    };
  }),
];

function isWanted(view: View, row: AccountRow, filter: AccountFilter): boolean {
  const { kind, parentId, closed, held } = filter;
  return (
    (kind === undefined || row.kind === kind) &&
    (parentId === undefined || row.parentId === parentId) &&
    (closed === undefined || row.closed === closed) &&
    (held === undefined || pathOf(view, row.id).some(({ holds }) => holds.length > 0) === held)
  );
}

/** Trees are bounded (MAX_TENANTS_PER_TREE), so one is answered whole. */
function wholeTree(view: View, homeId: string): readonly AccountRow[] {
  const rows: AccountRow[] = [];
  let after: string | undefined;
  for (;;) {
    const chunk = view.range(accounts, 'byHome', [homeId], { after, limit: 500 });
    rows.push(...chunk.map((item) => item.row));
    after = chunk.at(-1)?.cursor;
    if (chunk.length < 500) return rows;
  }
}

async function accountView(
  view: View,
  row: AccountRow,
  context: QueryContext,
): Promise<AccountView> {
  const { id, homeId, parentId, kind, name, closed, createdAt, position } = row;
  return {
    id,
    homeId,
    parentId,
    kind,
    name,
    contact: row.contact === null ? null : await contactOf(view, row.contact, context),
    holds: pathOf(view, id).flatMap((level) =>
      level.holds.map((hold) => ({
        ...hold,
        // Why a tenant above is held is that tenant's affair; that it is held is everyone's below.
        reason: context.reaches(level.id) ? hold.reason : null,
        tenantId: level.id,
      })),
    ),
    closed,
    createdAt,
    position,
  };
}

async function contactOf(
  view: View,
  contact: NonNullable<AccountRow['contact']>,
  context: QueryContext,
): Promise<AccountView['contact']> {
  const [email, name] = await Promise.all([
    opened(view, context, contact.email),
    opened(view, context, contact.name),
  ]);
  return { personId: contact.personId, email, name };
}
