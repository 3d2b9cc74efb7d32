/**
 * The subscriptions of a gateway: how many an account may have, and their end when the process
 * stops. What one of them does is in `subscription.ts`.
 */
import type { GraphQLError } from 'graphql';

import { requestError } from '../errors/request-error.ts';
import type { Viewer } from '../request/viewer.ts';
import { Subscription, type SubscriptionParts } from './subscription.ts';

export interface SubscriptionLimits {
  /** Most at once of an account, however many keys it has. */
  readonly perAccount: number;
  /** Most at once of all. */
  readonly total: number;
}

export class Subscriptions {
  readonly #limits: SubscriptionLimits;
  readonly #open = new Map<string, Set<Subscription>>();
  #count = 0;
  #stopped = false;

  constructor(limits: SubscriptionLimits) {
    this.#limits = limits;
  }

  /** How many are open. */
  get size(): number {
    return this.#count;
  }

  /** Opens one, or says why it cannot be. */
  open(viewer: Viewer, parts: Omit<SubscriptionParts, 'onClosed'>): Subscription | GraphQLError {
    if (this.#stopped) return stopping();
    const { tenantId } = viewer;
    const own = this.#open.get(tenantId) ?? new Set();
    if (own.size >= this.#limits.perAccount) return tooMany(this.#limits.perAccount);
    if (this.#count >= this.#limits.total) {
      return requestError('UNAVAILABLE', 'There are too many subscriptions here. Try again later.');
    }
    const subscription: Subscription = new Subscription(viewer, {
      ...parts,
      onClosed: () => {
        if (!own.delete(subscription)) return;
        this.#count -= 1;
        if (own.size === 0) this.#open.delete(tenantId);
      },
    });
    this.#open.set(tenantId, own.add(subscription));
    this.#count += 1;
    return subscription;
  }

  /** Ends all, each with an error that says to subscribe again; takes no more. */
  stop(): void {
    this.#stopped = true;
    for (const own of [...this.#open.values()]) {
      for (const subscription of [...own]) subscription.end(stopping());
    }
  }
}

function stopping(): GraphQLError {
  return requestError(
    'UNAVAILABLE',
    'This process is stopping. Subscribe again with the position of the last change you had.',
    { retryable: true },
  );
}

function tooMany(limit: number): GraphQLError {
  return requestError(
    'SUBSCRIPTION_LIMIT',
    `The account has ${limit} subscriptions open, which is the most. Close one first, or follow several things by asking for them from time to time.`,
    { limit },
  );
}
