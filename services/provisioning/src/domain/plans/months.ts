/** Invoicing: one account's month, and a month of every account of an issuer. */
import type { OrderOf } from '@bivouac/events/provisioning';

import {
  forward,
  isDone,
  look,
  type Plan,
  type PlanFacts,
  resultOf,
  type StepPlan,
} from './plan.ts';

export function closeMonth({ accountId, month }: OrderOf<'close-month'>): StepPlan[] {
  return [forward('invoice', 'billing.invoice', [], () => ({ accountId, month }))];
}

/** Asks for the accounts page by page, then closes each one's month by an operation of its own. */
export function runMonth(facts: PlanFacts, { issuerId, month }: OrderOf<'run-month'>): Plan {
  const steps: StepPlan[] = [];
  const accounts: { readonly accountId: string; readonly homeId: string }[] = [];
  let after: string | undefined;
  for (let page = 1; ; page += 1) {
    const name = `accounts-${page}`;
    const behind = after;
    steps.push(
      look(name, 'billing.accounts-to-close', page === 1 ? [] : [`accounts-${page - 1}`], () => ({
        issuerId,
        month,
        ...(behind === undefined ? {} : { after: behind }),
      })),
    );
    if (!isDone(facts, name)) break;
    const found = resultOf(facts, name, 'billing.accounts-to-close');
    accounts.push(...found.accounts);
    if (found.next === undefined) break;
    after = found.next;
  }
  const children = accounts.map(({ accountId, homeId }) => ({
    subject: accountId,
    order: { kind: 'close-month' as const, accountId, month },
    tenantId: accountId,
    homeId,
  }));
  return { steps, children };
}
