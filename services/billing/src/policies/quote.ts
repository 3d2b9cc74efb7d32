/** Answers what a plan gives and costs a tenant at the time of the ask, to an order. */
import { refuse } from '@bivouac/events/language';
import { responder } from '@bivouac/infra/runtime';

import { account, plan } from '../aggregates.ts';
import { accountStream, currencyOf } from '../domain/account.ts';
import { planIdOf, planStream, quote } from '../domain/plan.ts';
import { chargedTo } from './pricing.ts';

export const answerQuote = responder('billing.quote', {
  act: async ({ planCode }, context, { tenantId, askedAt }) => {
    const { state } = await context.load(plan, planStream(planIdOf(planCode)));
    const quoted = quote(state, askedAt);
    if (quoted.kind === 'refused') return { outcome: 'refused', refusal: quoted.refusal };
    // An account's currency is that of what runs on it; two orders at once may yet differ.
    const currency = await context.read(account, accountStream(tenantId), currencyOf);
    if (currency !== undefined && currency !== quoted.terms.monthly.currency) {
      const { refusal } = refuse(
        'CURRENCIES_DIFFER',
        `The account is invoiced in ${currency} and plan ${quoted.terms.code} is priced in ${quoted.terms.monthly.currency}; choose a plan in ${currency}.`,
        { path: ['input', 'planCode'] },
      );
      return { outcome: 'refused', refusal };
    }
    const terms = await chargedTo(tenantId, quoted.terms, askedAt, context);
    return { outcome: 'done', result: { plan: terms } };
  },
});
