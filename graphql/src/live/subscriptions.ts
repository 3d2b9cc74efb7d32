/**
 * The subscriptions of a gateway: how many an account may have, and their end when the process
 * stops. What one of them does is in `subscription.ts`.
 */
import type { GraphQLError } from 'graphql';

import { requestError } from '../errors/request-error.ts';
import type { Viewer } from '../request/viewer.ts';
import type { Seats } from './seats.ts';
import { Subscription, type SubscriptionParts } from './subscription.ts';

export interface SubscriptionLimits {
  /** Most at once of an account, however many keys it has: at all gateways that share seats. */
  readonly perAccount: number;
  /** Most at once of all, at this gateway. */
  readonly total: number;
}

export class Subscriptions {
  readonly #limits: SubscriptionLimits;
  readonly #seats: Seats | undefined;
  readonly #open = new Map<string, Set<Subscription>>();
  #count = 0;
  #stopped = false;

  /** @param seats where there are other gateways: what they have open counts, too. */
  constructor(limits: SubscriptionLimits, seats?: Seats) {
    this.#limits = limits;
    this.#seats = seats;
  }

  /** How many are open. */
  get size(): number {
    return this.#count;
  }

  /** Opens one, or says why it cannot be. */
  async open(
    viewer: Viewer,
    parts: Omit<SubscriptionParts, 'onClosed'>,
  ): Promise<Subscription | GraphQLError> {
    const { tenantId } = viewer;
    const { perAccount } = this.#limits;
    const refusal = this.#refusal(tenantId);
    if (refusal !== undefined) return refusal;
    const seat = await this.#seats?.take(tenantId, perAccount, this.#open.get(tenantId)?.size ?? 0);
    if (this.#seats !== undefined && seat === undefined) return tooMany(perAccount);
    // Others may have come meanwhile.
    const late = this.#refusal(tenantId);
    if (late !== undefined) {
      seat?.leave();
      return late;
    }
    const own = this.#open.get(tenantId) ?? new Set();
    const subscription: Subscription = new Subscription(viewer, {
      ...parts,
      onClosed: () => {
        if (!own.delete(subscription)) return;
        seat?.leave();
        this.#count -= 1;
        if (own.size === 0) this.#open.delete(tenantId);
      },
    });
    this.#open.set(tenantId, own.add(subscription));
    this.#count += 1;
    return subscription;
  }

  #refusal(tenantId: string): GraphQLError | undefined {
    const { perAccount, total } = this.#limits;
    if (this.#stopped) return stopping();
    if ((this.#open.get(tenantId)?.size ?? 0) >= perAccount) return tooMany(perAccount);
    return this.#count < total
      ? undefined
      : requestError('UNAVAILABLE', 'There are too many subscriptions here. Try again later.');
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
