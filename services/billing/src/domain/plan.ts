/**
 * The aggregate of a catalog entry, `plan-<pln id>`: versions of terms, each in force from a date on.
 * Orders are quoted the version in force with its revision; a subscription keeps what it started with.
 */
import {
  type Cause,
  PlanDefined,
  PlanRetired,
  PlanTermsReplaced,
  type planTermsShape,
} from '@bivouac/events/billing';
import {
  accept,
  canonicalText,
  refuse,
  type DecideContext,
  type Decision,
  type EventOf,
} from '@bivouac/events/language';
import type { PlanTerms } from '@bivouac/events/operations';
import { deriveId, minorUnits, money, type Money } from '@bivouac/events/values';
import type { z } from 'zod';

import { isZone } from './calendar.ts';
import { causeOf } from './cause.ts';
import type { CatalogVersion } from './renewal.ts';

/** What a plan gives and costs. */
export type Terms = {
  readonly [K in keyof typeof planTermsShape]: z.output<(typeof planTermsShape)[K]>;
};

/** Terms with what brought them into the catalog. */
export interface Version {
  readonly terms: Terms;
  readonly revision: bigint;
  readonly effectiveFrom: string;
  readonly forExisting: boolean;
  readonly cause: Cause;
}

export interface PlanState {
  plan:
    | {
        readonly planId: string;
        readonly code: string;
        /** In the order in which they were recorded; at least one. */
        readonly versions: Version[];
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
      const { planId, code } = event.data;
      const first = versionOf(event, event.time, false);
      state.plan = { planId, code, versions: [first], retired: false };
      return state;
    }
    case 'billing.PlanTermsReplaced': {
      const { effectiveFrom = event.time, forExisting = false } = event.data;
      state.plan?.versions.push(versionOf(event, effectiveFrom, forExisting));
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
      canonicalText(state.plan.versions[0]?.terms) === canonicalText(terms);
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
  input: Terms & {
    readonly planId: string;
    readonly effectiveFrom?: string | undefined;
    readonly forExisting?: boolean | undefined;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { planId, effectiveFrom, forExisting = false, ...rest } = input;
  const { plan } = state;
  if (plan === undefined) return unknownPlan(['input', 'planId']);
  if (plan.retired) return retiredPlan(plan.code, ['input', 'planId']);
  const wrong = wrongTerms(rest) ?? wrongVersion(plan.versions, input, context.now);
  if (wrong !== undefined) return wrong;
  const terms = normalised(rest);
  const from = effectiveFrom ?? context.now;
  const before = versionAt(plan.versions, from);
  const same =
    before?.forExisting === forExisting && canonicalText(before.terms) === canonicalText(terms);
  if (same) return accept();
  return accept(
    PlanTermsReplaced({
      planId,
      ...terms,
      ...(effectiveFrom === undefined ? {} : { effectiveFrom }),
      ...(forExisting ? { forExisting } : {}),
    }),
  );
}

export function retirePlan(state: PlanState, input: { readonly planId: string }): Decision {
  if (state.plan === undefined) return unknownPlan(['input', 'planId']);
  if (state.plan.retired) return accept();
  return accept(PlanRetired({ planId: input.planId }));
}

/** The terms in force at a time, as an order quotes them, or why it cannot be ordered. */
export function quote(
  state: PlanState,
  at: string,
): { readonly kind: 'terms'; readonly terms: PlanTerms } | ReturnType<typeof refuse> {
  const { plan } = state;
  const version = versionAt(plan?.versions ?? [], at);
  if (plan === undefined || version === undefined) return unknownPlan(['input', 'planCode']);
  if (plan.retired) return retiredPlan(plan.code, ['input', 'planCode']);
  return { kind: 'terms', terms: termsOf(plan, version) };
}

/** The terms recorded at a revision, as they were quoted. */
export function quotedAt(state: PlanState, revision: bigint): Version | undefined {
  return state.plan?.versions.find((version) => version.revision === revision);
}

/** The version in force: that with the latest date that has come; of one date, the last recorded. */
export function versionAt(versions: readonly Version[], at: string): Version | undefined {
  let found: Version | undefined;
  for (const version of versions) {
    if (version.effectiveFrom > at) continue;
    if (found === undefined || version.effectiveFrom >= found.effectiveFrom) found = version;
  }
  return found;
}

/** Every version, as subscriptions would be given it. */
export function catalogVersions({ plan }: PlanState): CatalogVersion[] {
  if (plan === undefined) return [];
  return plan.versions.map((version) => ({
    planId: plan.planId,
    terms: termsOf(plan, version),
    effectiveFrom: version.effectiveFrom,
    forExisting: version.forExisting,
    cause: version.cause,
  }));
}

export function termsOf(
  plan: { readonly planId: string; readonly code: string },
  version: Version,
): PlanTerms {
  const { zone: _zone, ...terms } = version.terms;
  const source = { stream: planStream(plan.planId), revision: version.revision.toString() };
  return { planId: plan.planId, code: plan.code, source, ...terms };
}

/** Terms are told to other services: nothing is among them that a later version of the event says besides. */
function versionOf(
  event: EventOf<typeof PlanDefined | typeof PlanTermsReplaced>,
  effectiveFrom: string,
  forExisting: boolean,
): Version {
  const { name, limits, includedAddresses, monthly, setup, extraAddressMonthly, zone } = event.data;
  const prices = { monthly, setup, extraAddressMonthly };
  const terms = { name, limits, includedAddresses, ...prices, zone };
  return { terms, revision: event.revision, effectiveFrom, forExisting, cause: causeOf(event) };
}

/** What was quoted and invoiced stays: dates lie ahead, and subscriptions keep their currency. */
function wrongVersion(
  versions: readonly Version[],
  input: Terms & {
    readonly effectiveFrom?: string | undefined;
    readonly forExisting?: boolean | undefined;
  },
  now: string,
): ReturnType<typeof refuse> | undefined {
  if (input.effectiveFrom !== undefined && input.effectiveFrom < now) {
    return refuse(
      'EFFECTIVE_DATE_PAST',
      `${input.effectiveFrom} has passed, and what was quoted then stays; give a later time, or none for now.`,
      { path: ['input', 'effectiveFrom'] },
    );
  }
  const other = versions.find((v) => v.terms.monthly.currency !== input.monthly.currency);
  if (input.forExisting !== true || other === undefined) return undefined;
  return refuse(
    'CURRENCIES_DIFFER',
    `Existing subscriptions may be charged in ${other.terms.monthly.currency}; new prices for them are in that currency.`,
    { path: ['input', 'monthly', 'currency'] },
  );
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
