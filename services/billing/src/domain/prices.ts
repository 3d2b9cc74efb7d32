/**
 * The aggregate of an issuer's price list, `prices-<issuer ten id>`: what it takes of those it
 * invoices for plans of the catalog. Prices are versioned by date, as the catalog's are.
 */
import { PriceSet, PriceWithdrawn, type priceEvents } from '@bivouac/events/billing';
import {
  accept,
  canonicalText,
  refuse,
  type DecideContext,
  type Decision,
  type EventOf,
} from '@bivouac/events/language';
import type { PlanTerms } from '@bivouac/events/operations';
import { minorUnits, money, type Money } from '@bivouac/events/values';

export interface Prices {
  readonly monthly: Money;
  readonly setup: Money;
  readonly extraAddressMonthly: Money;
}

interface Dated {
  readonly effectiveFrom: string;
  readonly revision: bigint;
  /** Null: withdrawn from then on. */
  readonly prices: Prices | null;
}

/** By plan, in the order in which they were recorded. */
export type PriceList = Map<string, Dated[]>;

export const pricesInitial = (): PriceList => new Map();

export function pricesStream(issuerId: string): string {
  return `prices-${issuerId}`;
}

export function evolvePrices(
  state: PriceList,
  event: EventOf<(typeof priceEvents)[number]>,
): PriceList {
  switch (event.type) {
    case 'billing.PriceSet': {
      const { planId, monthly, setup, extraAddressMonthly } = event.data;
      const { effectiveFrom = event.time } = event.data;
      const prices = { monthly, setup, extraAddressMonthly };
      enter(state, planId, { effectiveFrom, revision: event.revision, prices });
      return state;
    }
    case 'billing.PriceWithdrawn':
      enter(state, event.data.planId, {
        ...{ effectiveFrom: event.time, revision: event.revision, prices: null },
      });
      return state;
    default:
      return state;
  }
}

export function setPrice(
  state: PriceList,
  input: Prices & {
    readonly issuerId: string;
    readonly planId: string;
    readonly planCode: string;
    /** The plan's currency now; undefined: the catalog has no such plan. */
    readonly currency: string | undefined;
    readonly effectiveFrom?: string | undefined;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { issuerId, planId, planCode, currency, effectiveFrom } = input;
  if (currency === undefined) {
    return refuse('PLAN_UNKNOWN', 'The catalog has no such plan; list the plans and choose one.', {
      path: ['input', 'planCode'],
    });
  }
  if (effectiveFrom !== undefined && effectiveFrom < context.now) {
    return refuse(
      'EFFECTIVE_DATE_PAST',
      `${effectiveFrom} has passed, and what was quoted then stays; give a later time, or none for now.`,
      { path: ['input', 'effectiveFrom'] },
    );
  }
  for (const field of ['monthly', 'setup', 'extraAddressMonthly'] as const) {
    if (input[field].currency !== currency) {
      return refuse(
        'CURRENCIES_DIFFER',
        `Plan ${planCode} is priced in ${currency}; give ${field} in ${currency}, too.`,
        { path: ['input', field, 'currency'] },
      );
    }
  }
  const prices = {
    monthly: exact(input.monthly),
    setup: exact(input.setup),
    extraAddressMonthly: exact(input.extraAddressMonthly),
  };
  const before = priceAt(state, planId, effectiveFrom ?? context.now)?.prices;
  if (canonicalText(before ?? null) === canonicalText(prices)) return accept();
  return accept(
    PriceSet({
      ...{ issuerId, planId, planCode, ...prices },
      ...(effectiveFrom === undefined ? {} : { effectiveFrom }),
    }),
  );
}

export function withdrawPrice(
  state: PriceList,
  input: { readonly issuerId: string; readonly planId: string },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { issuerId, planId } = input;
  const dated = state.get(planId) ?? [];
  const ahead = dated.some((price) => price.effectiveFrom > context.now && price.prices !== null);
  if (priceAt(state, planId, context.now) === undefined && !ahead) return accept();
  return accept(PriceWithdrawn({ issuerId, planId }));
}

/** A plan's terms with the list's own prices, where it has any at that time. */
export function pricedBy(
  state: PriceList,
  issuerId: string,
  terms: PlanTerms,
  at: string,
): PlanTerms | undefined {
  const own = priceAt(state, terms.planId, at);
  if (own === undefined) return undefined;
  const source = { stream: pricesStream(issuerId), revision: own.revision.toString() };
  return { ...terms, ...own.prices, pricedBy: source };
}

/** The list's price in force: that with the latest date that has come; of one date, the last. */
function priceAt(
  state: PriceList,
  planId: string,
  at: string,
): { readonly revision: bigint; readonly prices: Prices } | undefined {
  let found: Dated | undefined;
  for (const price of state.get(planId) ?? []) {
    if (price.effectiveFrom > at) continue;
    if (found === undefined || price.effectiveFrom >= found.effectiveFrom) found = price;
  }
  if (found === undefined || found.prices === null) return undefined;
  return { revision: found.revision, prices: found.prices };
}

/** A withdrawal also takes back what lies ahead. */
function enter(state: PriceList, planId: string, dated: Dated): void {
  const kept = (state.get(planId) ?? []).filter(
    (other) => dated.prices !== null || other.effectiveFrom <= dated.effectiveFrom,
  );
  state.set(planId, [...kept, dated]);
}

function exact(price: Money): Money {
  return money(minorUnits(price), price.currency);
}

export function providerHasCatalog(): ReturnType<typeof refuse> {
  return refuse(
    'PROVIDER_HAS_CATALOG',
    "The provider's prices are the catalog's; replace the plan's terms instead.",
    { path: ['input', 'issuerId'] },
  );
}
