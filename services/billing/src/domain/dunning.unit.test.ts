import { describe, expect, it } from '@jest/globals';
import type { DunningStage } from '@bivouac/events/billing';

import { advanceDunning, pauseDunning, resumeDunning, stageAfter, stageDueAt } from './dunning.ts';
import { books } from './sample-books.ts';
import { recordPayment, reversePayment, voidInvoice } from './payments.ts';
import { accountId, eur, SampleAccount } from './sample-charges.ts';

const dueAt = '2026-05-15T00:00:00.000Z';
const home = { homeId: accountId };
const ours = { accountId, byIssuer: true };

function advance(account: SampleAccount, invoiceId: string, stage: DunningStage, now: string) {
  const input = { accountId, invoiceId, stage };
  return account.when((state) => advanceDunning(state, input, { ...home, now }));
}

function overdue(): { account: SampleAccount; invoiceId: string } {
  const account = new SampleAccount();
  const invoiceId = books(account, 0, 2000n, dueAt);
  return { account, invoiceId };
}

function held() {
  const { account, invoiceId } = overdue();
  for (const stage of ['reminder', 'warning', 'hold'] as const) {
    advance(account, invoiceId, stage, stageDueAt(dueAt, stage));
  }
  return { account, invoiceId };
}

const types = (events: readonly { readonly type: string }[]) => events.map((event) => event.type);

describe('dunning', () => {
  it('reminds after 3 days, warns after 10, holds after 21', () => {
    expect(stageDueAt(dueAt, 'reminder')).toBe('2026-05-18T00:00:00.000Z');
    expect(stageDueAt(dueAt, 'warning')).toBe('2026-05-25T00:00:00.000Z');
    expect(stageDueAt(dueAt, 'hold')).toBe('2026-06-05T00:00:00.000Z');
    expect([stageAfter(undefined), stageAfter('warning'), stageAfter('hold')]).toEqual([
      'reminder',
      'hold',
      undefined,
    ]);
  });

  it('reaches each stage once, in order, and not before its day', () => {
    const { account, invoiceId } = overdue();
    expect(advance(account, invoiceId, 'warning', '2026-06-30T00:00:00.000Z')).toEqual([]);
    expect(advance(account, invoiceId, 'reminder', '2026-05-17T23:59:59.999Z')).toEqual([]);
    const [reached] = advance(account, invoiceId, 'reminder', '2026-05-18T00:00:00.000Z');
    expect(reached).toMatchObject({ data: { stage: 'reminder', open: eur('20.00') } });
    expect(advance(account, invoiceId, 'reminder', '2026-05-18T00:00:00.000Z')).toEqual([]);
    expect(types(advance(account, invoiceId, 'warning', '2026-05-25T00:00:00.000Z'))).toEqual([
      'billing.DunningStageReached',
    ]);
    expect(types(advance(account, invoiceId, 'hold', '2026-06-05T00:00:00.000Z'))).toEqual([
      'billing.DunningStageReached',
      'billing.DunningHoldDue',
    ]);
  });

  it('lifts the hold with the payment that pays the invoice, not with one that does not', () => {
    const { account, invoiceId } = held();
    const pays = (reference: string, amount: string) =>
      account.when((s) => recordPayment(s, { ...ours, reference, amount: eur(amount) }, home));
    expect(types(pays('a', '19.99'))).toEqual(['billing.PaymentRecorded']);
    const [, clear] = pays('b', '0.01');
    expect(clear).toEqual({
      type: 'billing.DunningHoldClear',
      data: { accountId, homeId: accountId, invoiceId },
    });
    expect(advance(account, invoiceId, 'reminder', '2027-01-01T00:00:00.000Z')).toEqual([]);
  });

  it('lifts the hold with the voiding', () => {
    const { account, invoiceId } = held();
    const input = { ...ours, invoiceId, reason: 'wrong' };
    expect(types(account.when((state) => voidInvoice(state, input, home)))).toEqual([
      'billing.InvoiceVoided',
      'billing.DunningHoldClear',
    ]);
    expect(advance(account, invoiceId, 'reminder', '2027-01-01T00:00:00.000Z')).toEqual([]);
  });

  it('begins from the first stage for an invoice that a returned payment opens again', () => {
    const { account, invoiceId } = held();
    account.when((s) => recordPayment(s, { ...ours, reference: 'a', amount: eur('20.00') }, home));
    account.when((s) => reversePayment(s, { ...ours, reference: 'a', reason: 'returned' }));
    const now = '2026-07-01T00:00:00.000Z';
    expect(advance(account, invoiceId, 'hold', now)).toEqual([]);
    expect(advance(account, invoiceId, 'reminder', now)).toHaveLength(1);
  });

  it('rests while it is paused, by the issuer, and goes on afterwards', () => {
    const { account, invoiceId } = overdue();
    const pause = { ...ours, reason: 'instalments' };
    expect(pauseDunning(account.state, { ...pause, byIssuer: false })).toMatchObject({
      refusal: { code: 'NOT_ALLOWED' },
    });
    expect(account.when((state) => pauseDunning(state, pause))).toHaveLength(1);
    expect(account.when((state) => pauseDunning(state, pause))).toEqual([]);
    const now = '2026-06-30T00:00:00.000Z';
    expect(advance(account, invoiceId, 'reminder', now)).toEqual([]);
    expect(account.when((state) => resumeDunning(state, ours))).toHaveLength(1);
    expect(advance(account, invoiceId, 'reminder', now)).toHaveLength(1);
  });
});
