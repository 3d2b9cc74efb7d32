/** Which accounts an issuer has still to close for a month. */
import { queryHandler } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import { AccountsToClose } from '../api/runs.ts';
import { type AccountRow, accounts } from '../projections/accounts.ts';

/** A page of the ask's answer: what fits into one event. */
const PAGE = 400;

/** By account id, behind `after`: charged in the month, and not closed for it. */
export function accountsToClose(
  view: View,
  issuerId: string,
  month: string,
  after: string | undefined,
): { accounts: { accountId: string; homeId: string }[]; next?: string } {
  const found: { accountId: string; homeId: string }[] = [];
  for (let cursor: string | undefined; ;) {
    const rows = view.range(accounts, 'byIssuer', [issuerId], { limit: 500, after: cursor });
    for (const { row } of rows) {
      const { accountId, homeId, closed } = row;
      if (after !== undefined && accountId <= after) continue;
      if (!isCharged(row, month) || closed.includes(month)) continue;
      const last = found.at(-1);
      if (found.length === PAGE && last !== undefined) {
        return { accounts: found, next: last.accountId };
      }
      found.push({ accountId, homeId });
    }
    cursor = rows.at(-1)?.cursor;
    if (rows.length < 500) return { accounts: found };
  }
}

/** Whether anything of the account may be charged in a month: it began by then and had not ended. */
function isCharged(row: AccountRow, month: string): boolean {
  const { chargedFrom, chargedUntil, charging } = row;
  if (chargedFrom === null || chargedFrom > month) return false;
  return charging > 0 || (chargedUntil !== null && chargedUntil >= month);
}

export const accountsToCloseList = queryHandler(
  AccountsToClose,
  (view, { issuerId, month, after }, context) =>
    context.reaches(issuerId) ? accountsToClose(view, issuerId, month, after) : { accounts: [] },
);
