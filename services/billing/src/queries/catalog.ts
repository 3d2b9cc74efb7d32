/** Reading the catalog: the same for every tenant. */
import { queryHandler } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';

import { PlanByCode, PlanById, Plans } from '../api/plans.ts';
import { planIdOf } from '../domain/plan.ts';
import { plans } from '../projections/catalog.ts';

export const planList = queryHandler(Plans, (view, { page, includeRetired }) =>
  pageOf(view, plans, includeRetired ? 'byPosition' : 'byOffer', [], page, () => true),
);

export const planById = queryHandler(
  PlanById,
  (view, { planId }) => view.get(plans, planId) ?? null,
);

export const planByCode = queryHandler(
  PlanByCode,
  (view, { code }) => view.get(plans, planIdOf(code)) ?? null,
);
