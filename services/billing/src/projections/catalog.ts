/** The catalog's plans and their versions as everyone reads them, and issuers' own prices. */
import {
  type Cause,
  PlanDefined,
  PlanRetired,
  PlanTermsReplaced,
  PriceSet,
  PriceWithdrawn,
} from '@bivouac/events/billing';
import type { EventOf } from '@bivouac/events/language';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { PlanVersion } from '../api/plans.ts';
import type { ListedPrice } from '../api/prices.ts';
import { causeOf } from '../domain/cause.ts';

interface PlanRow {
  readonly id: string;
  readonly code: string;
  readonly retired: boolean;
  readonly definedAt: string;
  readonly position: string;
}

export const plans = table<PlanRow>()({
  name: 'plans',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byOffer: (row) => (row.retired ? undefined : [row.position]),
  },
});

export interface PlanVersionRow {
  readonly version: PlanVersion;
  readonly cause: Cause;
}

export const planVersions = table<PlanVersionRow>()({
  name: 'planVersions',
  key: (row) => `${row.version.planId}-${row.version.revision}`,
  indexes: { byPlan: (row) => [row.version.planId, row.version.position] },
});

export const listedPrices = table<ListedPrice>()({
  name: 'listedPrices',
  key: (row) => `${row.issuerId}-${row.position}`,
  indexes: {
    byIssuer: (row) => [row.issuerId, row.position],
    standing: (row) => (row.withdrawnAt === null ? [row.issuerId, row.planId] : undefined),
  },
});

export const catalogProjection = projection({
  name: 'billing.catalog',
  tables: [plans, planVersions, listedPrices],
  on: [
    on(PlanDefined, (event, view) => {
      const { planId: id, code, ...terms } = event.data;
      const { time: definedAt, position } = event;
      view.put(plans, { id, code, retired: false, definedAt, position });
      putVersion(view, event, { planId: id, ...terms });
    }),
    on(PlanTermsReplaced, (event, view) => {
      putVersion(view, event, event.data);
    }),
    on(PlanRetired, (event, view) => {
      const row = view.get(plans, event.data.planId);
      if (row !== undefined) view.put(plans, { ...row, retired: true });
    }),
    on(PriceSet, (event, view) => {
      const { effectiveFrom = event.time, ...price } = event.data;
      const { position } = event;
      view.put(listedPrices, { ...price, effectiveFrom, withdrawnAt: null, position });
    }),
    on(PriceWithdrawn, (event, view) => {
      const { issuerId, planId } = event.data;
      for (;;) {
        const rows = view.range(listedPrices, 'standing', [issuerId, planId], { limit: 100 });
        for (const { row } of rows) view.put(listedPrices, { ...row, withdrawnAt: event.time });
        if (rows.length < 100) return;
      }
    }),
  ],
});

function putVersion(
  view: WritableView,
  event: EventOf<typeof PlanDefined | typeof PlanTermsReplaced>,
  terms: Omit<EventOf<typeof PlanTermsReplaced>['data'], never>,
): void {
  const { effectiveFrom = event.time, forExisting = false, ...rest } = terms;
  const { time: recordedAt, position } = event;
  const revision = event.revision.toString();
  view.put(planVersions, {
    version: { ...rest, revision, effectiveFrom, forExisting, recordedAt, position },
    cause: causeOf(event),
  });
}
