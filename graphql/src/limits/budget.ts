/**
 * What an account may ask: a bucket of cost units for each, which fills again all the time. It is
 * counted in the cache that every gateway shares, so it holds for all of them together.
 */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { GraphQLError } from 'graphql';

import { requestError } from '../errors/request-error.ts';
import type { Viewer } from '../request/viewer.ts';

/** What is counted: see limits/cost.ts for the units. */
export interface Allowance {
  /** Units an account may use at once. */
  readonly capacity: number;
  /** Units it gets back each second. */
  readonly perSecond: number;
}

/** Where it is counted; the caches of `infra/cache` fit, those that never fail. */
export interface CostCache {
  take(
    bucket: string,
    cost: number,
    limit: { readonly capacity: number; readonly refillPerSecond: number },
  ): Promise<{ readonly taken: boolean; readonly retryAfterMilliseconds: number }>;
}

export interface BudgetOptions {
  readonly cache: CostCache;
  /** Of every account. */
  readonly account: Allowance;
  /** Of the provider's staff, who share one. */
  readonly staff: Allowance;
}

export class Budget {
  readonly #options: BudgetOptions;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /**
   * Takes the cost of a request from its account's bucket, or answers the error that refuses it.
   * A request that costs more than a bucket holds takes a full one: it is late, never impossible.
   */
  async spend(viewer: Viewer, cost: number): Promise<GraphQLError | undefined> {
    const { cache, account, staff } = this.#options;
    // Who acts for an account does so at the provider's cost.
    const paidByStaff = viewer.acting !== null || viewer.principal.audience === 'staff';
    const { capacity, perSecond } = paidByStaff ? staff : account;
    const { taken, retryAfterMilliseconds } = await cache.take(
      `graphql-cost:${viewer.acting === null ? viewer.tenantId : PROVIDER_ID}`,
      // Also what reads nothing has to be answered.
      Math.min(Math.max(cost, 1), capacity),
      { capacity, refillPerSecond: perSecond },
    );
    return taken ? undefined : rateLimited(cost, Math.ceil(retryAfterMilliseconds / 1000));
  }
}

function rateLimited(cost: number, seconds: number): GraphQLError {
  return requestError(
    'RATE_LIMITED',
    `The account has asked for too much just now; nothing was done. Send the same again in ${seconds} s.`,
    {
      cost,
      retryable: true,
      retryAfter: seconds,
      http: { headers: { 'retry-after': String(seconds) } },
    },
  );
}
