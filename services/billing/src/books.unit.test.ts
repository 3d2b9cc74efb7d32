import { afterEach, describe, expect, it } from '@jest/globals';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { canonicalText } from '@bivouac/events/language';
import { minorUnits } from '@bivouac/events/values';
import type { EventStore } from '@bivouac/infra/event-store';

import {
  AccountBalance,
  CreditNoteById,
  CreditNoteLines,
  CreditNotes,
  GrantCredit,
  InvoiceById,
  InvoiceHistory,
  InvoiceLines,
  Invoices,
  Journal,
  Leftovers,
  PauseDunning,
  PaymentByReference,
  Payments,
  RecordPayment,
  ResumeDunning,
  ReversePayment,
  SetPaymentTerm,
  TrialBalance,
  VoidInvoice,
} from './api/index.ts';
import { eur } from './domain/sample-charges.ts';
import { bound, customerOf, SampleWorld } from './sample-world.ts';

const worlds: SampleWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    await world.stop();
    expect(world.failure).toBeUndefined();
  }
});

const page = { limit: 100 };
const month = '2026-04';

/** A customer with an invoice of 24.00 EUR for April, issued on 1 May and due on 15 May. */
async function invoiced(wrap?: (store: EventStore) => EventStore): Promise<{
  readonly world: SampleWorld;
  readonly accountId: string;
  readonly invoiceId: string;
}> {
  const world = await new SampleWorld(wrap).start();
  worlds.push(world);
  const plan = await world.definePlan('1000');
  const accountId = await world.createTenant('customer');
  await world.until('2026-04-10T09:00:00.000Z');
  await world.runs(accountId, 'web1', plan);
  await world.until('2026-05-01T00:00:00.000Z');
  await world.answer('billing.invoice', accountId, { accountId, month });
  const list = await world.query(Invoices, { page });
  return { world, accountId, invoiceId: list.items[0]?.node.id ?? '' };
}

const invoiceOf = (world: SampleWorld, invoiceId: string) =>
  world.query(InvoiceById, { invoiceId });

async function typesOf(world: SampleWorld, accountId: string): Promise<string[]> {
  const events = await world.eventsOf(`account-${accountId}`);
  return events.map((event) => event.type).filter((type) => type.startsWith('billing.Dunning'));
}

describe('payments', () => {
  it('settle invoices, show up by reference, and count once for ever', async () => {
    const { world, accountId, invoiceId } = await invoiced();
    const payment = { accountId, reference: 'SEPA 17', amount: eur('30.00') };
    const first = await world.command(RecordPayment, payment);
    expect(await world.command(RecordPayment, payment)).toEqual(first);
    expect(await invoiceOf(world, invoiceId)).toMatchObject({
      ...{ state: 'paid', paid: eur('24.00'), open: eur('0.00') },
      dueAt: '2026-05-15T00:00:00.000Z',
    });
    expect(await world.query(AccountBalance, { accountId })).toMatchObject({
      ...{ owed: [eur('0.00')], credit: [eur('6.00')], bookings: 2 },
    });
    const found = await world.query(PaymentByReference, { accountId, reference: 'SEPA 17' });
    expect(found).toMatchObject({ id: first.paymentId, settled: [{ invoiceId }], reversed: null });
    await world.command(ReversePayment, { accountId, reference: 'SEPA 17', reason: 'returned' });
    expect(await invoiceOf(world, invoiceId)).toMatchObject({ state: 'open', open: eur('24.00') });
    const list = await world.query(Payments, { accountId, page });
    expect(list.items.map(({ node }) => node.reversed?.reason)).toEqual(['returned']);
  });

  it('cannot be recorded by who owes, nor read by others', async () => {
    const { world, accountId, invoiceId } = await invoiced();
    const debtor = customerOf(accountId);
    const payment = { accountId, reference: 'mine', amount: eur('24.00') };
    await expect(world.command(RecordPayment, payment, debtor)).rejects.toThrow('NOT_ALLOWED');
    const credit = { accountId, amount: eur('24.00'), reason: 'mine' };
    await expect(world.command(GrantCredit, credit, debtor)).rejects.toThrow('NOT_ALLOWED');
    const voiding = { accountId, invoiceId, reason: 'mine' };
    await expect(world.command(VoidInvoice, voiding, debtor)).rejects.toThrow('NOT_ALLOWED');
    const other = customerOf(await world.createTenant('other'));
    await expect(world.command(RecordPayment, payment, other)).rejects.toThrow('NOT_ALLOWED');
    expect((await world.query(Payments, { accountId, page }, other)).items).toEqual([]);
    expect(await world.query(InvoiceLines, { invoiceId, page }, other)).toBeNull();
    // Its issuer's books are not the debtor's to read.
    expect(await world.query(TrialBalance, { issuerId: PROVIDER_ID }, debtor)).toBeNull();
    const journal = await world.query(Journal, { issuerId: PROVIDER_ID, accountId, page }, debtor);
    expect(journal.items).toEqual([]);
  });
});

describe('the lines of an invoice', () => {
  it('come in pages', async () => {
    const { world, invoiceId } = await invoiced();
    const first = await world.query(InvoiceLines, { invoiceId, page: { limit: 1 } });
    expect([first?.items.length, first?.hasNext]).toEqual([1, true]);
    const after = first?.items[0]?.cursor;
    const second = await world.query(InvoiceLines, { invoiceId, page: { limit: 5, after } });
    expect(second?.items.map(({ node }) => node.kind)).toEqual(['setup']);
    expect([second?.hasNext, second?.hasPrevious]).toEqual([false, true]);
    const last = await world.query(InvoiceLines, { invoiceId, page: { limit: 1, reverse: true } });
    expect(last?.items.map(({ node }) => node.kind)).toEqual(['setup']);
  });
});

describe('a void invoice', () => {
  it('has one credit note, in the issuer’s own series and the debtor’s books, negated', async () => {
    const { world, accountId, invoiceId } = await invoiced();
    await world.command(RecordPayment, { accountId, reference: 'a', amount: eur('24.00') });
    const voiding = { accountId, invoiceId, reason: 'Charged by mistake' };
    const { creditNoteId } = await world.command(VoidInvoice, voiding);
    await world.command(VoidInvoice, voiding);
    expect(await world.eventsOf(`credits-${PROVIDER_ID}`)).toHaveLength(1);
    expect(await world.eventsOf(`series-${PROVIDER_ID}`)).toHaveLength(1);
    expect(await invoiceOf(world, invoiceId)).toMatchObject({
      ...{ state: 'void', paid: eur('0.00'), open: eur('0.00') },
      voided: { creditNoteId, reason: 'Charged by mistake' },
    });
    const note = await world.query(CreditNoteById, { creditNoteId }, customerOf(accountId));
    expect(note).toMatchObject({
      ...{ number: 'C2026-000001', invoiceId, total: eur('-24.00'), lineCount: 2 },
      subtotals: { plans: eur('-14.00'), setup: eur('-10.00') },
    });
    const lines = await world.query(CreditNoteLines, { creditNoteId, page });
    const invoice = await world.query(InvoiceLines, { invoiceId, page });
    const sum = (of: typeof lines) =>
      of?.items.reduce((total, { node }) => total + minorUnits(node.amount), 0n);
    expect(sum(lines)).toBe(-(sum(invoice) ?? 0n));
    expect(await world.query(AccountBalance, { accountId })).toMatchObject({
      ...{ owed: [eur('0.00')], credit: [eur('24.00')] },
    });
    const notes = await world.query(CreditNotes, { accountId, page });
    expect(notes.items.map(({ node }) => node.id)).toEqual([creditNoteId]);
    const history = await world.query(InvoiceHistory, { invoiceId, page });
    expect(history?.items.map((item) => item.type)).toEqual([
      'billing.MonthClosed',
      'billing.InvoiceIssued',
      'billing.InvoiceBooked',
      'billing.InvoiceVoided',
      'billing.CreditNoteIssued',
      'billing.CreditNoteBooked',
    ]);
    expect(await world.query(Leftovers, {})).toMatchObject({ unbookedInvoices: 0 });
  });
});

describe('a credit note whose making was cut off', () => {
  for (const cut of ['InvoiceVoided', 'CreditNoteIssued', 'CreditNoteBooked']) {
    it(`after ${cut} is finished by the next start, once`, async () => {
      let dead = false;
      // From the append of `cut` on, the process can write nothing: it is dead to the log.
      const { world, accountId, invoiceId } = await invoiced((store) => ({
        ...bound(store),
        append: async (stream, expected, events) => {
          if (dead) throw new Error('the process is dead');
          const result = await store.append(stream, expected, events);
          if (events.some((event) => event.type === `billing.${cut}`)) dead = true;
          return result;
        },
      }));
      const voiding = { accountId, invoiceId, reason: 'wrong' };
      await world.command(VoidInvoice, voiding).catch(() => undefined);
      await world.stop().catch(() => undefined);
      world.failure = undefined;
      dead = false;
      await world.start();
      // The store dies once more at an event of that type, which is not written again.
      await world.host.settled().catch(() => undefined);
      await world.stop().catch(() => undefined);
      world.failure = undefined;
      dead = false;
      await world.start();
      await world.host.settled();
      expect(await world.eventsOf(`credits-${PROVIDER_ID}`)).toHaveLength(1);
      expect(await world.query(AccountBalance, { accountId })).toMatchObject({
        ...{ owed: [eur('0.00')], bookings: 2 },
      });
      const trial = await world.query(TrialBalance, { issuerId: PROVIDER_ID });
      expect(trial).toMatchObject({ entries: 2, sums: [eur('0.00')] });
    });
  }
});

describe('the books of an issuer', () => {
  it('balance to zero, entry by entry, and are the same when rebuilt', async () => {
    const { world, accountId, invoiceId } = await invoiced();
    await world.command(GrantCredit, { accountId, amount: eur('5.00'), reason: 'an outage' });
    await world.command(RecordPayment, { accountId, reference: 'a', amount: eur('30.00') });
    await world.command(ReversePayment, { accountId, reference: 'a', reason: 'returned' });
    await world.command(VoidInvoice, { accountId, invoiceId, reason: 'wrong' });
    const journal = await world.query(Journal, { issuerId: PROVIDER_ID, page });
    expect(journal.items.map(({ node }) => node.type.slice(8))).toEqual([
      ...['InvoiceBooked', 'CreditGranted', 'PaymentRecorded', 'PaymentReversed'],
      'CreditNoteBooked',
    ]);
    for (const { node } of journal.items) {
      expect(node.legs.reduce((sum, leg) => sum + minorUnits(leg.amount), 0n)).toBe(0n);
    }
    const trial = await world.query(TrialBalance, { issuerId: PROVIDER_ID });
    expect(trial).toMatchObject({ entries: 5, sums: [eur('0.00')] });
    expect(trial?.balances.filter(({ amount }) => minorUnits(amount) !== 0n)).toEqual([
      { account: 'credit', amount: eur('-5.00') },
      { account: 'revenue.credits', amount: eur('5.00') },
    ]);
    const live = canonicalText([journal, trial]);
    await world.stop();
    await world.start();
    const again = [
      await world.query(Journal, { issuerId: PROVIDER_ID, page }),
      await world.query(TrialBalance, { issuerId: PROVIDER_ID }),
    ];
    expect(canonicalText(again)).toBe(live);
  });
});

describe('dunning', () => {
  it('goes from reminder to hold by the clock alone, and is cleared by the payment', async () => {
    const { world, accountId, invoiceId } = await invoiced();
    await world.until('2026-05-17T23:59:59.000Z');
    expect(await typesOf(world, accountId)).toEqual([]);
    await world.until('2026-05-18T00:00:00.000Z');
    expect(await invoiceOf(world, invoiceId)).toMatchObject({ dunning: 'reminder' });
    await world.until('2026-05-26T00:00:00.000Z');
    expect(await invoiceOf(world, invoiceId)).toMatchObject({ dunning: 'warning' });
    await world.until('2026-06-05T00:00:00.000Z');
    expect((await typesOf(world, accountId)).slice(2)).toEqual([
      'billing.DunningStageReached',
      'billing.DunningHoldDue',
    ]);
    await world.command(RecordPayment, { accountId, reference: 'a', amount: eur('24.00') });
    expect((await typesOf(world, accountId)).at(-1)).toBe('billing.DunningHoldClear');
    const before = await typesOf(world, accountId);
    await world.until('2026-12-01T00:00:00.000Z');
    expect(await typesOf(world, accountId)).toEqual(before);
  });

  it('catches up after the process was away, and rests while it is paused', async () => {
    const { world, accountId, invoiceId } = await invoiced();
    await world.command(PauseDunning, { accountId, reason: 'instalments' });
    expect(await world.query(AccountBalance, { accountId })).toMatchObject({
      dunningPaused: { reason: 'instalments' },
    });
    await world.until('2026-05-20T00:00:00.000Z');
    expect(await invoiceOf(world, invoiceId)).toMatchObject({ dunning: null });
    await world.command(ResumeDunning, { accountId });
    expect(await invoiceOf(world, invoiceId)).toMatchObject({ dunning: 'reminder' });
    await world.stop();
    world.clock.moveTo('2026-06-30T00:00:00.000Z');
    await world.start();
    await world.host.settled();
    expect(await invoiceOf(world, invoiceId)).toMatchObject({ dunning: 'hold' });
    expect(await typesOf(world, accountId)).toEqual([
      ...['billing.DunningPaused', 'billing.DunningResumed', 'billing.DunningStageReached'],
      ...['billing.DunningStageReached', 'billing.DunningStageReached', 'billing.DunningHoldDue'],
    ]);
  });

  it('counts from the term that the issuer sets', async () => {
    const { world, accountId } = await invoiced();
    const provider = { issuerId: PROVIDER_ID, issuerHomeId: PROVIDER_ID };
    await world.command(SetPaymentTerm, { ...provider, days: 30 });
    await world.until('2026-06-01T00:00:00.000Z');
    await world.answer('billing.invoice', accountId, { accountId, month: '2026-05' });
    const list = await world.query(Invoices, { accountId, page });
    expect(list.items.map(({ node }) => node.dueAt)).toEqual([
      '2026-05-15T00:00:00.000Z',
      '2026-07-01T00:00:00.000Z',
    ]);
  });
});
