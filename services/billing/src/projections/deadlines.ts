/** Billing's timers: the stages of open invoices, and the ends of periods that someone waits for. */
import {
  CreditGranted,
  CreditNoteBooked,
  type DunningStage,
  DunningPaused,
  DunningResumed,
  DunningStageReached,
  InvoiceBooked,
  InvoiceVoided,
  PaymentRecorded,
  PaymentReversed,
  PeriodEndAwaited,
  PeriodEndReached,
  type Settlement,
} from '@bivouac/events/billing';
import { minorUnits } from '@bivouac/events/values';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import { AdvanceDunning, EndPeriodWait } from '../api/account.ts';
import { waitOf } from '../domain/account.ts';
import { stageAfter, stageDueAt } from '../domain/dunning.ts';

/** An invoice that is to be paid. */
interface DueRow {
  readonly invoiceId: string;
  readonly accountId: string;
  readonly homeId: string;
  readonly dueAt: string;
  readonly stage: DunningStage | null;
  readonly state: 'open' | 'paid' | 'void';
}

export const dues = table<DueRow>()({
  name: 'dues',
  key: (row) => row.invoiceId,
  indexes: { openByAccount: (row) => (row.state === 'open' ? [row.accountId] : undefined) },
});

interface PausedRow {
  readonly accountId: string;
}

export const pausedDunnings = table<PausedRow>()({
  name: 'pausedDunnings',
  key: (row) => row.accountId,
  indexes: {},
});

export const deadlinesProjection = projection({
  name: 'billing.deadlines',
  tables: [dues, pausedDunnings, timers],
  on: [
    on(InvoiceBooked, (event, view) => {
      const { invoiceId, accountId, dueAt, settled = [] } = event.data;
      if (dueAt === undefined) return;
      const { homeid: homeId } = event;
      arm(view, { invoiceId, accountId, homeId, dueAt, stage: null, state: 'open' });
      settle(view, settled);
    }),
    on(InvoiceVoided, (event, view) => {
      const row = view.get(dues, event.data.invoiceId);
      if (row !== undefined) arm(view, { ...row, state: 'void' });
    }),
    on(DunningStageReached, (event, view) => {
      const { invoiceId, stage } = event.data;
      const row = view.get(dues, invoiceId);
      if (row !== undefined) arm(view, { ...row, stage });
    }),
    on(PaymentRecorded, (event, view) => {
      settle(view, event.data.settled);
    }),
    on(PaymentReversed, (event, view) => {
      settle(view, event.data.settled);
    }),
    on(CreditGranted, (event, view) => {
      settle(view, event.data.settled);
    }),
    on(CreditNoteBooked, (event, view) => {
      settle(view, event.data.settled);
    }),
    on(DunningPaused, (event, view) => {
      view.put(pausedDunnings, { accountId: event.data.accountId });
      rearm(view, event.data.accountId);
    }),
    on(DunningResumed, (event, view) => {
      view.delete(pausedDunnings, event.data.accountId);
      rearm(view, event.data.accountId);
    }),
    on(PeriodEndAwaited, (event, view) => {
      const { accountId, ref, homeId, endsAt: due, notAfter } = event.data;
      const input = { accountId, ref, notAfter };
      view.put(timers, { id: waitTimer(ref), due, homeId, command: EndPeriodWait.name, input });
    }),
    on(PeriodEndReached, (event, view) => {
      view.delete(timers, waitTimer(event.data.ref));
    }),
  ],
});

function settle(view: WritableView, settled: readonly Settlement[]): void {
  for (const { invoiceId, open } of settled) {
    const row = view.get(dues, invoiceId);
    if (row === undefined || row.state === 'void') continue;
    const paid = minorUnits(open) === 0n;
    arm(view, { ...row, state: paid ? 'paid' : 'open', stage: paid ? null : row.stage });
  }
}

/** Every open invoice of the account: a page at a time, since arming leaves them where they are. */
function rearm(view: WritableView, accountId: string): void {
  let after: string | undefined;
  for (;;) {
    const rows = view.range(dues, 'openByAccount', [accountId], { limit: 100, after });
    for (const { row } of rows) arm(view, row);
    after = rows.at(-1)?.cursor;
    if (rows.length < 100) return;
  }
}

/** Keeps the row, and its timer: of the next stage while it is open and nothing is paused. */
function arm(view: WritableView, row: DueRow): void {
  const { invoiceId, accountId, homeId, dueAt } = row;
  view.put(dues, row);
  const id = `dunning-${invoiceId}`;
  const stage = stageAfter(row.stage ?? undefined);
  const paused = view.get(pausedDunnings, accountId) !== undefined;
  if (row.state !== 'open' || stage === undefined || paused) {
    view.delete(timers, id);
    return;
  }
  const input = { accountId, invoiceId, stage };
  const due = stageDueAt(dueAt, stage);
  view.put(timers, { id, due, homeId, command: AdvanceDunning.name, input });
}

function waitTimer(ref: Parameters<typeof waitOf>[0]): string {
  return `period-end-${waitOf(ref)}`;
}
