import { describe, expect, it } from '@jest/globals';
import type { Decided, Decision, Recorded } from '@bivouac/events/language';

import {
  evolvePrices,
  pricedBy,
  type PriceList,
  pricesInitial,
  setPrice,
  withdrawPrice,
} from './prices.ts';
import { eur, issuerId, sampleTerms } from './sample-charges.ts';

const terms = sampleTerms();
const own = { monthly: eur('29.00'), setup: eur('0.00'), extraAddressMonthly: eur('3.00') };
const plan = { issuerId, planId: terms.planId, planCode: terms.code, currency: 'EUR' };
const monday = '2026-04-06T00:00:00.000Z';
const friday = '2026-04-10T00:00:00.000Z';

class Sample {
  state: PriceList = pricesInitial();
  #revision = 0n;

  when(now: string, decide: (state: PriceList) => Decision): readonly Decided[] {
    const decision = decide(this.state);
    if (decision.kind === 'refused') throw new Error(decision.refusal.code);
    for (const event of decision.events) {
      const whole = { ...event, time: now, revision: this.#revision++ } as unknown as Recorded;
      this.state = evolvePrices(this.state, whole as Parameters<typeof evolvePrices>[1]);
    }
    return decision.events;
  }

  sets(now: string, monthly: string, effectiveFrom?: string) {
    const input = { ...plan, ...own, monthly: eur(monthly), effectiveFrom };
    return this.when(now, (state) => setPrice(state, input, { now }));
  }

  at(time: string): string | undefined {
    return pricedBy(this.state, issuerId, terms, time)?.monthly.amount;
  }
}

describe("an issuer's price list", () => {
  it('puts its prices in the place of the catalog’s from their date on, and says so', () => {
    const list = new Sample();
    list.sets(monday, '29.00');
    list.sets(monday, '31.00', friday);
    expect(list.at('2026-04-05T23:59:59.999Z')).toBeUndefined();
    expect(list.at(monday)).toBe('29.00');
    expect(list.at(friday)).toBe('31.00');
    const priced = pricedBy(list.state, issuerId, terms, friday);
    expect(priced).toMatchObject({
      ...{ source: terms.source, limits: terms.limits },
      pricedBy: { stream: `prices-${issuerId}`, revision: '1' },
    });
  });

  it('changes nothing where the price is so already', () => {
    const list = new Sample();
    expect(list.sets(monday, '29')).toHaveLength(1);
    expect(list.sets(friday, '29.00')).toEqual([]);
  });

  it('is the catalog’s again once withdrawn, also of what lay ahead', () => {
    const list = new Sample();
    list.sets(monday, '29.00');
    list.sets(monday, '31.00', friday);
    const withdraw = (now: string) =>
      list.when(now, (state) => withdrawPrice(state, { issuerId, planId: terms.planId }, { now }));
    expect(withdraw('2026-04-08T00:00:00.000Z')).toHaveLength(1);
    expect([list.at(monday), list.at('2026-04-08T00:00:00.000Z'), list.at(friday)]).toEqual([
      '29.00',
      undefined,
      undefined,
    ]);
    expect(withdraw(friday)).toEqual([]);
  });

  it('is refused in another currency, for no plan, and for a date that has passed', () => {
    const code = (more: Partial<Parameters<typeof setPrice>[1]>) => {
      const decision = setPrice(pricesInitial(), { ...plan, ...own, ...more }, { now: friday });
      return decision.kind === 'refused' ? decision.refusal.code : undefined;
    };
    expect(code({ currency: undefined })).toBe('PLAN_UNKNOWN');
    expect(code({ setup: { amount: '1.00', currency: 'USD' } })).toBe('CURRENCIES_DIFFER');
    expect(code({ effectiveFrom: monday })).toBe('EFFECTIVE_DATE_PAST');
  });
});
