/**
 * The aggregate of a catalog entry, `plan-<pln id>`. Its terms are quoted to orders with the revision
 * they are of; a subscription keeps what it started with.
 */
import {
  PlanDefined,
  PlanRetired,
  PlanTermsReplaced,
  type planTermsShape,
} from '@bivouac/events/billing';
import {
  accept,
  canonicalText,
  refuse,
  type Decision,
  type EventOf,
} from '@bivouac/events/language';
import type { PlanTerms } from '@bivouac/events/operations';
import { deriveId, minorUnits, money, type Money } from '@bivouac/events/values';
import type { z } from 'zod';

import { isZone } from './calendar.ts';

/** What a plan gives and costs. */
export type Terms = {
  readonly [K in keyof typeof planTermsShape]: z.output<(typeof planTermsShape)[K]>;
};

export interface PlanState {
  plan:
    | {
        readonly planId: string;
        readonly code: string;
        terms: Terms;
        revision: bigint;
        retired: boolean;
      }
    | undefined;
}

export const planInitial = (): PlanState => ({ plan: undefined });

/** A code names one plan for ever, however it is written: the id is derived from it. */
export function planIdOf(code: string): string {
  return deriveId('plan', code.toLowerCase());
}

export function planStream(planId: string): string {
  return `plan-${planId}`;
}

export function evolvePlan(
  state: PlanState,
  event: EventOf<typeof PlanDefined | typeof PlanTermsReplaced | typeof PlanRetired>,
): PlanState {
  switch (event.type) {
    case 'billing.PlanDefined': {
      const { planId, code, ...terms } = event.data;
      state.plan = { planId, code, terms, revision: event.revision, retired: false };
      return state;
    }
    case 'billing.PlanTermsReplaced': {
      const { planId: _planId, ...terms } = event.data;
      if (state.plan !== undefined) {
        state.plan.terms = terms;
        state.plan.revision = event.revision;
      }
      return state;
    }
    case 'billing.PlanRetired':
      if (state.plan !== undefined) state.plan.retired = true;
      return state;
    default:
      return state;
  }
}

export function definePlan(state: PlanState, input: Terms & { readonly code: string }): Decision {
  const { code, ...rest } = input;
  const wrong = wrongTerms(rest);
  if (wrong !== undefined) return wrong;
  const terms = normalised(rest);
  if (state.plan !== undefined) {
    const same =
      !state.plan.retired &&
      state.plan.code === code &&
      canonicalText(state.plan.terms) === canonicalText(terms);
    if (same) return accept();
    return refuse(
      'PLAN_CODE_TAKEN',
      `There is already a plan ${state.plan.code}; replace its terms, or choose another code.`,
      { path: ['input', 'code'], details: { planId: state.plan.planId } },
    );
  }
  return accept(PlanDefined({ planId: planIdOf(code), code, ...terms }));
}

export function replacePlanTerms(
  state: PlanState,
  input: Terms & { readonly planId: string },
): Decision {
  const { planId, ...rest } = input;
  if (state.plan === undefined) return unknownPlan(['input', 'planId']);
  if (state.plan.retired) return retiredPlan(state.plan.code, ['input', 'planId']);
  const wrong = wrongTerms(rest);
  if (wrong !== undefined) return wrong;
  const terms = normalised(rest);
  if (canonicalText(state.plan.terms) === canonicalText(terms)) return accept();
  return accept(PlanTermsReplaced({ planId, ...terms }));
}

export function retirePlan(state: PlanState, input: { readonly planId: string }): Decision {
  if (state.plan === undefined) return unknownPlan(['input', 'planId']);
  if (state.plan.retired) return accept();
  return accept(PlanRetired({ planId: input.planId }));
}

/** The terms as an order quotes them, or why it cannot be ordered. */
export function quote(
  state: PlanState,
): { readonly kind: 'terms'; readonly terms: PlanTerms } | ReturnType<typeof refuse> {
  const { plan } = state;
  if (plan === undefined) return unknownPlan(['input', 'planCode']);
  if (plan.retired) return retiredPlan(plan.code, ['input', 'planCode']);
  const { zone: _zone, ...terms } = plan.terms;
  return {
    kind: 'terms',
    terms: {
      planId: plan.planId,
      code: plan.code,
      source: { stream: planStream(plan.planId), revision: plan.revision.toString() },
      ...terms,
    },
  };
}

function unknownPlan(path: readonly string[]): ReturnType<typeof refuse> {
  return refuse('PLAN_UNKNOWN', 'The catalog has no such plan; list the plans and choose one.', {
    path,
  });
}

function retiredPlan(code: string, path: readonly string[]): ReturnType<typeof refuse> {
  return refuse('PLAN_RETIRED', `Plan ${code} is not offered any more; choose another plan.`, {
    path,
  });
}

function wrongTerms(terms: Terms): ReturnType<typeof refuse> | undefined {
  const { currency } = terms.monthly;
  for (const field of ['setup', 'extraAddressMonthly'] as const) {
    if (terms[field].currency !== currency) {
      return refuse(
        'CURRENCIES_DIFFER',
        `A plan has one currency: its monthly price is in ${currency}, so give ${field} in ${currency} too.`,
        { path: ['input', field, 'currency'] },
      );
    }
  }
  if (!isZone(terms.zone)) {
    return refuse('ZONE_UNKNOWN', `There is no time zone ${terms.zone}; use an IANA name.`, {
      path: ['input', 'zone'],
    });
  }
  return undefined;
}

/** `20` and `20.00` EUR are the same price, and are recorded alike. */
function normalised(terms: Terms): Terms {
  return {
    ...terms,
    monthly: exact(terms.monthly),
    setup: exact(terms.setup),
    extraAddressMonthly: exact(terms.extraAddressMonthly),
  };
}

function exact(price: Money): Money {
  return money(minorUnits(price), price.currency);
}
