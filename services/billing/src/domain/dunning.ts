/**
 * Dunning: reminder, warning and billing hold, so many days after an invoice's due date. A stage is
 * reached once; the hold is cleared in the same breath in which the invoice is paid or void.
 */
import {
  DunningHoldClear,
  DunningHoldDue,
  DunningPaused,
  DunningResumed,
  DunningStageReached,
  type DunningStage,
  type Settlement,
} from '@bivouac/events/billing';
import {
  accept,
  refuse,
  type Decided,
  type DecideContext,
  type Decision,
} from '@bivouac/events/language';
import { minorUnits, money, plusSeconds } from '@bivouac/events/values';

import type { AccountState } from './account.ts';
import { openOf } from './ledger.ts';

/** Days after the due date. */
const days: Readonly<Record<DunningStage, number>> = { reminder: 3, warning: 10, hold: 21 };
const order: readonly DunningStage[] = ['reminder', 'warning', 'hold'];

/** The stage that follows; undefined behind the last. */
export function stageAfter(stage: DunningStage | undefined): DunningStage | undefined {
  return order[stage === undefined ? 0 : order.indexOf(stage) + 1];
}

/** When an open invoice reaches a stage: whole days of 24 hours after it was due. */
export function stageDueAt(dueAt: string, stage: DunningStage): string {
  return plusSeconds(dueAt, days[stage] * 86_400);
}

/** The timer's word that a stage is due. What was paid, voided, paused or reached meanwhile: nothing. */
export function advanceDunning(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly invoiceId: string;
    readonly stage: DunningStage;
  },
  context: Pick<DecideContext, 'now' | 'homeId'>,
): Decision {
  const { accountId, invoiceId, stage } = input;
  const invoice = state.ledger.invoices.get(invoiceId);
  if (invoice?.dueAt === undefined || state.dunning.paused) return accept();
  const open = openOf(invoice);
  const next = stageAfter(state.dunning.reminded.get(invoiceId)?.stage);
  if (open === 0n || stage !== next || context.now < stageDueAt(invoice.dueAt, stage)) {
    return accept();
  }
  const reached = DunningStageReached({
    ...{ accountId, invoiceId, stage, dueAt: invoice.dueAt },
    open: money(open, invoice.total.currency),
  });
  if (stage !== 'hold') return accept(reached);
  const { homeId } = context;
  return accept<Decided>(reached, DunningHoldDue({ accountId, homeId, invoiceId, stage }));
}

/** The holds that end with what an entry settled. */
export function clearedBy(
  state: AccountState,
  accountId: string,
  homeId: string,
  settled: readonly Settlement[],
): Decided[] {
  return settled
    .filter(({ open }) => minorUnits(open) === 0n)
    .flatMap(({ invoiceId }) => clearOf(state, accountId, homeId, invoiceId));
}

/** The end of the hold for one invoice, where there is one. */
export function clearOf(
  state: AccountState,
  accountId: string,
  homeId: string,
  invoiceId: string,
): Decided[] {
  return state.dunning.reminded.get(invoiceId)?.held === true
    ? [DunningHoldClear({ accountId, homeId, invoiceId })]
    : [];
}

export function pauseDunning(
  state: AccountState,
  input: { readonly accountId: string; readonly reason: string; readonly byIssuer: boolean },
): Decision {
  if (!input.byIssuer) return notIssuer();
  if (state.dunning.paused) return accept();
  return accept(DunningPaused({ accountId: input.accountId, reason: input.reason }));
}

export function resumeDunning(
  state: AccountState,
  input: { readonly accountId: string; readonly byIssuer: boolean },
): Decision {
  if (!input.byIssuer) return notIssuer();
  if (!state.dunning.paused) return accept();
  return accept(DunningResumed({ accountId: input.accountId }));
}

/** Whoever owes does not decide about it. */
export function notIssuer(): ReturnType<typeof refuse> {
  return refuse(
    'NOT_ALLOWED',
    'Only whoever invoices this account may do that: ask the account above it.',
  );
}
