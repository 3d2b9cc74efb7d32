/** Billing's kinds of streams: the catalog's plans, tenants' accounts, issuers' number series. */
import { accountEvents, planEvents, seriesEvents } from '@bivouac/events/billing';
import { aggregate } from '@bivouac/infra/runtime';

import { accountInitial, evolveAccount, type AccountState } from './domain/account.ts';
import { evolvePlan, planInitial, type PlanState } from './domain/plan.ts';
import { evolveSeries, seriesInitial, type SeriesState } from './domain/series.ts';

export const plan = aggregate<PlanState, typeof planEvents>({
  category: 'plan',
  events: planEvents,
  initial: planInitial,
  evolve: evolvePlan,
});

export const account = aggregate<AccountState, typeof accountEvents>({
  category: 'account',
  events: accountEvents,
  initial: accountInitial,
  evolve: evolveAccount,
});

export const series = aggregate<SeriesState, typeof seriesEvents>({
  category: 'series',
  events: seriesEvents,
  initial: seriesInitial,
  evolve: evolveSeries,
});
