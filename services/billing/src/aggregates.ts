/** Billing's kinds of streams: plans, price lists, tenants' accounts, issuers' number series. */
import {
  accountEvents,
  creditSeriesEvents,
  planEvents,
  priceEvents,
  seriesEvents,
} from '@bivouac/events/billing';
import { aggregate } from '@bivouac/infra/runtime';

import { accountInitial, evolveAccount, type AccountState } from './domain/account.ts';
import { evolvePlan, planInitial, type PlanState } from './domain/plan.ts';
import { evolvePrices, type PriceList, pricesInitial } from './domain/prices.ts';
import { evolveSeries, seriesInitial, type SeriesState } from './domain/series.ts';

export const plan = aggregate<PlanState, typeof planEvents>({
  category: 'plan',
  events: planEvents,
  version: 2,
  initial: planInitial,
  evolve: evolvePlan,
});

export const prices = aggregate<PriceList, typeof priceEvents>({
  category: 'prices',
  events: priceEvents,
  initial: pricesInitial,
  evolve: evolvePrices,
});

export const account = aggregate<AccountState, typeof accountEvents>({
  category: 'account',
  events: accountEvents,
  version: 3,
  initial: accountInitial,
  evolve: evolveAccount,
});

export const series = aggregate<SeriesState, typeof seriesEvents>({
  category: 'series',
  events: seriesEvents,
  version: 2,
  initial: seriesInitial,
  evolve: evolveSeries,
});

export const credits = aggregate<SeriesState, typeof creditSeriesEvents>({
  category: 'credits',
  events: creditSeriesEvents,
  initial: seriesInitial,
  evolve: evolveSeries,
});
