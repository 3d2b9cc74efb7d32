/** Answers a monthly run which accounts there are to close, page by page. */
import { refuse } from '@bivouac/events/language';
import { responder } from '@bivouac/infra/runtime';

import { firstEndOf } from '../domain/calendar.ts';
import { accountsToClose } from '../queries/runs.ts';

export const answerAccountsToClose = responder('billing.accounts-to-close', {
  act: async ({ issuerId, month, after }, context, { askedAt }) => {
    const endsAt = firstEndOf(month);
    if (askedAt < endsAt) {
      const { refusal } = refuse(
        'PERIOD_NOT_OVER',
        `${month} does not end anywhere before ${endsAt}; run it after that.`,
        { path: ['input', 'month'], details: { endsAt } },
      );
      return { outcome: 'refused', refusal };
    }
    const { value } = await context.candidates((view) =>
      accountsToClose(view, issuerId, month, after),
    );
    return { outcome: 'done', result: value };
  },
});
