import { describe, expect, it } from '@jest/globals';

import type { Decision, EventOf, Recorded } from '@bivouac/events/language';
import { uuidOf } from '@bivouac/events/values';
import type { planEvents } from '@bivouac/events/billing';

import {
  definePlan,
  evolvePlan,
  planIdOf,
  planInitial,
  quote,
  replacePlanTerms,
  retirePlan,
  type PlanState,
  type Terms,
} from './plan.ts';
import { eur, sampleTerms } from './sample-charges.ts';

const { limits, includedAddresses, monthly, setup, extraAddressMonthly } = sampleTerms();
const terms: Terms = {
  ...{ name: 'VPS 1000', limits, includedAddresses, monthly, setup, extraAddressMonthly },
  zone: 'UTC',
};
const planId = planIdOf('1000');

function after(...decisions: ((state: PlanState) => Decision)[]): PlanState {
  let state = planInitial();
  let revision = 0n;
  for (const decide of decisions) {
    const decision = decide(state);
    if (decision.kind === 'refused') throw new Error(decision.refusal.code);
    for (const event of decision.events) {
      const whole = {
        ...event,
        id: uuidOf('e'),
        time: at.now,
        revision: revision++,
      } as unknown as Recorded;
      state = evolvePlan(state, whole as EventOf<(typeof planEvents)[number]>);
    }
  }
  return state;
}

const at = { now: '2026-04-10T09:00:00.000Z' };

const defined = (state: PlanState): Decision => definePlan(state, { code: '1000', ...terms });
const code = (decision: Decision): string | undefined =>
  decision.kind === 'refused' ? decision.refusal.code : undefined;

describe('a plan', () => {
  it('has an id that its code gives, in whatever case it is written', () => {
    expect(planIdOf('Basic')).toBe(planIdOf('basic'));
    expect(planIdOf('basic')).not.toBe(planIdOf('basic2'));
  });

  it('is quoted with the revision of its terms', () => {
    const state = after(defined, (s) =>
      replacePlanTerms(s, { planId, ...terms, monthly: eur('22.00') }, at),
    );
    const quoted = quote(state, at.now);
    expect(quoted).toMatchObject({
      kind: 'terms',
      terms: {
        planId,
        code: '1000',
        source: { stream: `plan-${planId}`, revision: '1' },
        monthly: eur('22.00'),
      },
    });
  });

  it('is defined once: the same again changes nothing, other terms are refused', () => {
    const state = after(defined);
    expect(defined(state)).toEqual({ kind: 'accepted', events: [] });
    const other = definePlan(state, { code: '1000', ...terms, monthly: eur('1.00') });
    expect(code(other)).toBe('PLAN_CODE_TAKEN');
    expect(
      code(
        definePlan(
          after(defined, (s) => retirePlan(s, { planId })),
          { code: '1000', ...terms },
        ),
      ),
    ).toBe('PLAN_CODE_TAKEN');
  });

  it('records 20 and 20.00 as the same price', () => {
    const state = after(defined);
    const again = replacePlanTerms(state, { planId, ...terms, monthly: eur('20') }, at);
    expect(again).toEqual({ kind: 'accepted', events: [] });
  });

  it('has one currency', () => {
    const mixed = { ...terms, setup: { amount: '10.00', currency: 'USD' } };
    const decision = definePlan(planInitial(), { code: '1000', ...mixed });
    expect(decision).toMatchObject({
      refusal: { code: 'CURRENCIES_DIFFER', path: ['input', 'setup', 'currency'] },
    });
    expect(code(replacePlanTerms(after(defined), { planId, ...mixed }, at))).toBe(
      'CURRENCIES_DIFFER',
    );
  });

  it('has a zone that exists', () => {
    const decision = definePlan(planInitial(), { code: '1000', ...terms, zone: 'Europe/Atlantis' });
    expect(decision).toMatchObject({ refusal: { code: 'ZONE_UNKNOWN', path: ['input', 'zone'] } });
    expect(
      after((s) => definePlan(s, { code: '1000', ...terms, zone: 'Europe/Berlin' })).plan
        ?.versions[0]?.terms.zone,
    ).toBe('Europe/Berlin');
  });

  it('cannot be quoted, changed or retired before it exists', () => {
    const nothing = planInitial();
    expect(quote(nothing, at.now)).toMatchObject({ refusal: { code: 'PLAN_UNKNOWN' } });
    expect(code(replacePlanTerms(nothing, { planId, ...terms }, at))).toBe('PLAN_UNKNOWN');
    expect(code(retirePlan(nothing, { planId }))).toBe('PLAN_UNKNOWN');
  });

  it('is neither quoted nor changed once retired; retiring twice changes nothing', () => {
    const state = after(defined, (s) => retirePlan(s, { planId }));
    expect(quote(state, at.now)).toMatchObject({ refusal: { code: 'PLAN_RETIRED' } });
    expect(code(replacePlanTerms(state, { planId, ...terms }, at))).toBe('PLAN_RETIRED');
    expect(retirePlan(state, { planId })).toEqual({ kind: 'accepted', events: [] });
  });

  it('is quoted at the version in force, whichever was recorded last', () => {
    const may = '2026-05-01T00:00:00.000Z';
    const june = '2026-06-01T00:00:00.000Z';
    const from = (effectiveFrom: string, monthly: string) => (s: PlanState) =>
      replacePlanTerms(s, { planId, ...terms, monthly: eur(monthly), effectiveFrom }, at);
    const state = after(defined, from(june, '26.00'), from(may, '25.00'));
    const priceAt = (time: string) => {
      const quoted = quote(state, time);
      return quoted.kind === 'terms'
        ? [quoted.terms.monthly.amount, quoted.terms.source.revision]
        : [];
    };
    expect(priceAt('2026-04-30T23:59:59.999Z')).toEqual([terms.monthly.amount, '0']);
    expect(priceAt(may)).toEqual(['25.00', '2']);
    expect(priceAt(june)).toEqual(['26.00', '1']);
  });

  it('takes no version for a day that has passed, nor another currency for what runs', () => {
    const state = after(defined);
    const past = { planId, ...terms, effectiveFrom: '2026-04-10T08:59:59.999Z' };
    expect(code(replacePlanTerms(state, past, at))).toBe('EFFECTIVE_DATE_PAST');
    const usd = { amount: '5.00', currency: 'USD' };
    const foreign = { ...terms, monthly: usd, setup: usd, extraAddressMonthly: usd };
    const forExisting = replacePlanTerms(state, { planId, ...foreign, forExisting: true }, at);
    expect(code(forExisting)).toBe('CURRENCIES_DIFFER');
    expect(code(replacePlanTerms(state, { planId, ...foreign }, at))).toBeUndefined();
  });
});
