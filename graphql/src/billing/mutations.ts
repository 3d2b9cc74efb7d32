/** Changing the catalog. */
import { DefinePlan, ReplacePlanTerms, RetirePlan } from '@bivouac/billing/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { LimitsInput, MoneyInput } from '../language/money.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { planById, PlanRef } from './plan.ts';

const PlanDefined = builder
  .objectRef<Payload & { readonly planId: string }>('PlanDefined')
  .implement({
    description: 'The plan can be ordered.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      planId: t.exposeID('planId', { description: 'The plan, `pln_…`.' }),
      plan: t.field({
        type: PlanRef,
        nullable: true,
        description: 'The plan.',
        resolve: ({ planId }, _args, { services }) => planById(services, planId),
      }),
    }),
  });

mutation('definePlan', {
  description: 'For the staff: puts a plan into the catalog. A code names one plan for ever.',
  input: builder.inputType('DefinePlanInput', {
    description: 'A new plan. All its prices are in one currency.',
    fields: (t) => ({
      code: t.string({ description: 'What it is ordered by, e.g. `vps-1000`.' }),
      name: t.string({ description: 'Its name.' }),
      limits: t.field({ type: LimitsInput, description: 'What a container gets.' }),
      includedAddresses: t.int({ description: 'Addresses within the price, at least 1.' }),
      monthly: t.field({ type: MoneyInput, description: 'The price of a month.' }),
      setup: t.field({ type: MoneyInput, description: 'Once, when the container first runs.' }),
      extraAddressMonthly: t.field({
        type: MoneyInput,
        description: 'The price of a month for each further address.',
      }),
      zone: t.string({
        required: false,
        description: 'IANA time zone whose days and months are charged; UTC unless told.',
      }),
    }),
  }),
  type: PlanDefined,
  act: ({ zone, ...terms }, key, { services }) =>
    services.command(DefinePlan, { ...terms, ...given({ zone }) }, key),
  payload: ({ planId }) => ({ planId }),
});

interface PlanPayload extends Payload {
  readonly planId: string;
}

const PlanTermsReplaced = builder.objectRef<PlanPayload>('PlanTermsReplaced').implement({
  description: 'The plan has a further version.',
  interfaces: [PayloadRef],
  fields: (t) => ({
    planId: t.exposeID('planId', { description: 'The plan, `pln_…`.' }),
    plan: t.field({
      type: PlanRef,
      nullable: true,
      description: 'The plan.',
      resolve: ({ planId }, _args, { services }) => planById(services, planId),
    }),
  }),
});

mutation('replacePlanTerms', {
  description: 'For the staff: further terms of a plan, in force from a date on.',
  input: builder.inputType('ReplacePlanTermsInput', {
    description: 'The new terms, whole. All prices are in one currency.',
    fields: (t) => ({
      planId: t.id({ description: 'The plan, `pln_…`.' }),
      name: t.string({ description: 'Its name.' }),
      limits: t.field({ type: LimitsInput, description: 'What a container gets.' }),
      includedAddresses: t.int({ description: 'Addresses within the price, at least 1.' }),
      monthly: t.field({ type: MoneyInput, description: 'The price of a month.' }),
      setup: t.field({ type: MoneyInput, description: 'Once, when the container first runs.' }),
      extraAddressMonthly: t.field({
        type: MoneyInput,
        description: 'The price of a month for each further address.',
      }),
      zone: t.string({
        required: false,
        description: 'IANA time zone whose days and months are charged; UTC unless told.',
      }),
      effectiveFrom: t.field({
        type: 'DateTime',
        required: false,
        description: 'From when on; now unless told.',
      }),
      forExisting: t.boolean({
        required: false,
        description: 'Existing subscriptions get the prices, too, from their next month on.',
      }),
    }),
  }),
  versioned: true,
  type: PlanTermsReplaced,
  act: ({ zone, effectiveFrom, forExisting, ...terms }, key, { services }) =>
    services.command(
      ReplacePlanTerms,
      { ...terms, ...given({ zone, effectiveFrom, forExisting }) },
      key,
    ),
  payload: ({ planId }) => ({ planId }),
});

const PlanRetired = builder.objectRef<PlanPayload>('PlanRetired').implement({
  description: 'The plan cannot be ordered any more; what runs on it goes on.',
  interfaces: [PayloadRef],
  fields: (t) => ({ planId: t.exposeID('planId', { description: 'The plan, `pln_…`.' }) }),
});

mutation('retirePlan', {
  description: 'For the staff: takes a plan out of the offer.',
  input: builder.inputType('RetirePlanInput', {
    description: 'Which plan.',
    fields: (t) => ({ planId: t.id({ description: 'The plan, `pln_…`.' }) }),
  }),
  versioned: true,
  type: PlanRetired,
  act: ({ planId }, key, { services }) => services.command(RetirePlan, { planId }, key),
  payload: ({ planId }) => ({ planId }),
});
