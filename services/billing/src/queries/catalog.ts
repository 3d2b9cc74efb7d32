/** Reading the catalog, the same for every tenant, and issuers' own prices. */
import { changesOf, queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type View } from '@bivouac/infra/views';

import {
  PlanByCode,
  PlanById,
  PlanChanges,
  Plans,
  PlanVersions,
  type PlanView,
} from '../api/plans.ts';
import { PriceList } from '../api/prices.ts';
import { planIdOf, planStream } from '../domain/plan.ts';
import type { CatalogVersion } from '../domain/renewal.ts';
import { listedPrices, plans, planVersions, type PlanVersionRow } from '../projections/catalog.ts';

export const planList = queryHandler(Plans, (view, { page, includeRetired }, context) => {
  const now = context.now();
  const found = pageOf(
    view,
    plans,
    includeRetired ? 'byPosition' : 'byOffer',
    [],
    page,
    () => true,
  );
  return {
    ...found,
    items: found.items.flatMap(({ cursor, node }) => {
      const plan = planAt(view, node.id, now);
      return plan === null ? [] : [{ cursor, node: plan }];
    }),
  };
});

export const planById = queryHandler(PlanById, (view, { planId }, context) =>
  planAt(view, planId, context.now()),
);

export const planChanges = queryHandler(PlanChanges, async (view, { planId, page }, context) => {
  if (view.get(plans, planId) === undefined) return null;
  return { ...(await changesOf(context, planStream(planId), page)), over: false };
});

export const planByCode = queryHandler(PlanByCode, (view, { code }, context) =>
  planAt(view, planIdOf(code), context.now()),
);

export const planVersionList = queryHandler(PlanVersions, (view, { page, planId }) => {
  const found = pageOf(view, planVersions, 'byPlan', [planId], page, () => true);
  return {
    ...found,
    items: found.items.map(({ cursor, node }) => ({ cursor, node: node.version })),
  };
});

export const priceList = queryHandler(PriceList, (view, { page, issuerId }, context) =>
  pageOf(view, listedPrices, 'byIssuer', [issuerId], page, (row) => context.reaches(row.issuerId)),
);

/** Every version of these plans, as subscriptions would be given it. */
export function versionsOf(view: View, planIds: readonly string[]): CatalogVersion[] {
  return planIds.flatMap((planId) => {
    const plan = view.get(plans, planId);
    if (plan === undefined) return [];
    return rowsOf(view, planId).map(({ version, cause }): CatalogVersion => {
      const { name, limits, includedAddresses, monthly, setup, extraAddressMonthly } = version;
      const source = { stream: planStream(planId), revision: version.revision };
      const { code } = plan;
      return {
        planId,
        terms: {
          ...{ planId, code, name, source, limits, includedAddresses },
          ...{ monthly, setup, extraAddressMonthly },
        },
        effectiveFrom: version.effectiveFrom,
        forExisting: version.forExisting,
        cause,
      };
    });
  });
}

/** A plan with the terms in force at a time: the rule is `versionAt` of domain/plan.ts. */
function planAt(view: View, planId: string, at: string): PlanView | null {
  const plan = view.get(plans, planId);
  if (plan === undefined) return null;
  let found: PlanVersionRow['version'] | undefined;
  for (const { version } of rowsOf(view, planId)) {
    if (version.effectiveFrom > at) continue;
    if (found === undefined || version.effectiveFrom >= found.effectiveFrom) found = version;
  }
  // As of a moment before its definition there are no rows at all; a replica's clock may lag a little.
  const version = found ?? rowsOf(view, planId)[0]?.version;
  if (version === undefined) return null;
  const { planId: id, forExisting: _forExisting, recordedAt: _recordedAt, ...terms } = version;
  return { ...terms, ...plan, id };
}

/** In the order in which they were recorded. */
function rowsOf(view: View, planId: string): PlanVersionRow[] {
  const rows: PlanVersionRow[] = [];
  for (let after: string | undefined; ;) {
    const page = view.range(planVersions, 'byPlan', [planId], { limit: 100, after });
    rows.push(...page.map(({ row }) => row));
    after = page.at(-1)?.cursor;
    if (page.length < 100) return rows;
  }
}
