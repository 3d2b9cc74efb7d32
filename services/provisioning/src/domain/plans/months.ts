/** Invoicing: one account's month, and a month of every account of an issuer. */
import type { OrderOf } from '@bivouac/events/provisioning';

import {
  type ChildPlan,
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
  return {
    steps,
    children: { count: accounts.length, at: (index) => child(accounts, index, month) },
  };
}

function child(
  accounts: readonly { readonly accountId: string; readonly homeId: string }[],
  index: number,
  month: string,
): ChildPlan {
  const account = accounts[index];
  if (account === undefined) throw new Error(`there is no account ${index} to close`);
  const { accountId, homeId } = account;
  const order = { kind: 'close-month' as const, accountId, month };
  return { subject: accountId, order, tenantId: accountId, homeId };
}
