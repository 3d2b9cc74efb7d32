import { describe, expect, it } from '@jest/globals';

import { subscriptionIdOf } from './charged.ts';
import { attachAddOn, cancelAddOn, chargeFee } from './items.ts';
import { rate } from './rating.ts';
import { accountId, containerId, eur, SampleAccount } from './sample-charges.ts';

const ours = { accountId, byIssuer: true, zone: 'UTC' };
const backup = { ...ours, name: 'Backup', monthly: eur('3.00'), quantity: 2 };
const subscriptionId = subscriptionIdOf(containerId('web1'));

function attach(account: SampleAccount, now: string, more: { subscriptionId?: string } = {}) {
  const context = { now, commandKey: `6a1f2f0e-9a0c-5b0c-8a5e-3d2b7c4e1f${now.slice(8, 10)}` };
  const [event] = account.when((state) => attachAddOn(state, { ...backup, ...more }, context));
  return String(event?.data['addOnId']);
}

function cancel(account: SampleAccount, addOnId: string, at: 'now' | 'period-end', now: string) {
  return account.when((state) => cancelAddOn(state, { accountId, addOnId, at }, { now }));
}

const addOnLines = (account: SampleAccount, month = '2026-04') => {
  const rated = rate(account.state, month);
  return rated.kind === 'owed' ? rated.lines.filter((line) => line.kind === 'add-on') : [];
};

describe('an add-on', () => {
  it('is charged by its days and its number, with the event that attached it', () => {
    const account = new SampleAccount();
    attach(account, '2026-04-11T09:00:00.000Z');
    const [line] = addOnLines(account);
    // 3.00 x 2 x 20/30.
    expect(line).toMatchObject({
      ...{ description: 'Backup', units: 2, unitPrice: eur('3.00'), amount: eur('4.00') },
      ...{ subscriptionId: null, containerId: null },
      causes: [{ type: 'billing.AddOnAttached' }],
    });
    expect(addOnLines(account, '2026-05')[0]?.amount).toEqual(eur('6.00'));
  });

  it('ends with the month, or at once, and never later than it was to', () => {
    const account = new SampleAccount();
    const addOnId = attach(account, '2026-04-11T09:00:00.000Z');
    const [first] = cancel(account, addOnId, 'period-end', '2026-04-15T09:00:00.000Z');
    expect(first?.data).toMatchObject({ endsAt: '2026-05-01T00:00:00.000Z' });
    expect(cancel(account, addOnId, 'period-end', '2026-04-16T09:00:00.000Z')).toEqual([]);
    expect(addOnLines(account)[0]?.quantity.days).toBe(20);
    expect(addOnLines(account, '2026-05')).toEqual([]);
    expect(cancel(account, addOnId, 'now', '2026-04-21T09:00:00.000Z')).toHaveLength(1);
    expect(addOnLines(account)[0]?.quantity.days).toBe(10);
    expect(cancel(account, addOnId, 'period-end', '2026-04-22T09:00:00.000Z')).toEqual([]);
    expect(addOnLines(account)[0]?.causes.map((cause) => cause.type)).toEqual([
      'billing.AddOnAttached',
      'billing.AddOnCancelled',
    ]);
  });

  it('of a subscription ends with it', () => {
    const account = new SampleAccount();
    account.starts('2026-04-10T09:00:00.000Z');
    attach(account, '2026-04-11T09:00:00.000Z', { subscriptionId });
    account.ends('2026-04-21T09:00:00.000Z');
    const [line] = addOnLines(account);
    expect(line).toMatchObject({ quantity: { days: 10 }, subscriptionId });
    expect(line?.causes.map((cause) => cause.type)).toEqual([
      'billing.AddOnAttached',
      'containers.ContainerDeleted',
    ]);
    const late = { now: '2026-04-22T09:00:00.000Z', commandKey: 'x' };
    expect(attachAddOn(account.state, { ...backup, subscriptionId }, late)).toMatchObject({
      refusal: { code: 'SUBSCRIPTION_ENDED' },
    });
  });

  it('is refused for what does not fit', () => {
    const account = new SampleAccount();
    account.starts('2026-04-10T09:00:00.000Z');
    const context = { now: '2026-04-11T09:00:00.000Z', commandKey: 'x' };
    const code = (more: Partial<Parameters<typeof attachAddOn>[1]>) => {
      const decision = attachAddOn(account.state, { ...backup, ...more }, context);
      return decision.kind === 'refused' ? decision.refusal.code : undefined;
    };
    expect(code({ byIssuer: false })).toBe('NOT_ALLOWED');
    expect(code({ monthly: { amount: '3.00', currency: 'USD' } })).toBe('CURRENCIES_DIFFER');
    expect(code({ monthly: eur('0.00') })).toBe('AMOUNT_NOT_POSITIVE');
    expect(code({ zone: 'Europe/Atlantis' })).toBe('ZONE_UNKNOWN');
    expect(code({ subscriptionId: 'sub_x' })).toBe('SUBSCRIPTION_UNKNOWN');
    expect(
      cancelAddOn(account.state, { accountId, addOnId: 'itm_x', at: 'now' }, context),
    ).toMatchObject({ refusal: { code: 'ADD_ON_UNKNOWN' } });
  });
});

describe('a fee', () => {
  it('is charged once, with the month of its day', () => {
    const account = new SampleAccount();
    const fee = { ...ours, name: 'Recovery', amount: eur('49'), reason: 'asked for' };
    const context = {
      now: '2026-04-30T23:59:00.000Z',
      commandKey: '6a1f2f0e-9a0c-5b0c-8a5e-3d2b7c4e1f90',
    };
    account.when((state) => chargeFee(state, fee, context));
    const rated = rate(account.state, '2026-04');
    expect(rated).toMatchObject({
      total: eur('49.00'),
      subtotals: { plans: eur('0.00'), fees: eur('49.00') },
      lines: [{ kind: 'fee', quantity: { days: 1, of: 1 }, causes: [{}] }],
    });
    expect(rate(account.state, '2026-05').kind).toBe('nothing');
    expect(chargeFee(account.state, { ...fee, byIssuer: false }, context)).toMatchObject({
      refusal: { code: 'NOT_ALLOWED' },
    });
  });
});
