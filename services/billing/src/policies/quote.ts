/** Answers what a plan gives and costs now, to an order. */
import { responder } from '@bivouac/infra/runtime';

import { account, plan } from '../aggregates.ts';
import { accountStream, type AccountState } from '../domain/account.ts';
import { planIdOf, planStream, quote } from '../domain/plan.ts';
import { refuse } from '@bivouac/events/language';

export const answerQuote = responder('billing.quote', {
  act: async ({ planCode }, context, { tenantId }) => {
    const quoted = quote((await context.load(plan, planStream(planIdOf(planCode)))).state);
    if (quoted.kind === 'refused') return { outcome: 'refused', refusal: quoted.refusal };
    const currency = await context.read(account, accountStream(tenantId), currencyOf);
    if (currency !== undefined && currency !== quoted.terms.monthly.currency) {
      const { refusal } = refuse(
        'CURRENCIES_DIFFER',
        `The account is invoiced in ${currency} and plan ${quoted.terms.code} is priced in ${quoted.terms.monthly.currency}; choose a plan in ${currency}.`,
        { path: ['input', 'planCode'] },
      );
      return { outcome: 'refused', refusal };
    }
    return { outcome: 'done', result: { plan: quoted.terms } };
  },
});

/** An account's currency is that of what still runs on it; two orders at once may yet differ. */
function currencyOf(state: AccountState): string | undefined {
  for (const subscription of state.subscriptions.values()) {
    if (subscription.ended === undefined) return subscription.terms.monthly.currency;
  }
  return undefined;
}
