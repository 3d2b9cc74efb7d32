/** Commands on the catalog's plans. */
import { handler } from '@bivouac/infra/runtime';

import { plan } from '../aggregates.ts';
import { DefinePlan, ReplacePlanTerms, RetirePlan } from '../api/index.ts';
import { definePlan, planIdOf, planStream, replacePlanTerms, retirePlan } from '../domain/plan.ts';

export const catalogCommands = [
  handler(DefinePlan, plan, {
    stream: ({ code }) => planStream(planIdOf(code)),
    owner: () => 'platform',
    decide: definePlan,
    result: (_events, { code }) => ({ planId: planIdOf(code) }),
  }),
  handler(ReplacePlanTerms, plan, {
    stream: ({ planId }) => planStream(planId),
    decide: replacePlanTerms,
    result: (_events, { planId }) => ({ planId }),
  }),
  handler(RetirePlan, plan, {
    stream: ({ planId }) => planStream(planId),
    decide: retirePlan,
    result: (_events, { planId }) => ({ planId }),
  }),
];
