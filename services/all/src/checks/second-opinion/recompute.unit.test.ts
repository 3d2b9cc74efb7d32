/** The second opinion on bills, against amounts worked out by hand. */
import { describe, expect, test } from '@jest/globals';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { AddressesDetached, OrderUndone } from '@bivouac/events/containers';
import type { EventDefinition } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';

import { compareInvoices } from '../invoices.ts';
import { dayOf, daysOf, midnight, nextMonth } from './calendar.ts';
import { type Bill, type JsonEvent, recompute } from './recompute.ts';

const eur = (amount: string) => ({ amount, currency: 'EUR' });
const source = (stream: string, revision = '0') => ({ stream, revision });

/** A log of plain JSON that grows. */
class Log {
  readonly events: JsonEvent[] = [];
  readonly #revisions = new Map<string, number>();

  add(time: string, stream: string, type: string, data: object): this {
    const revision = (this.#revisions.get(stream) ?? -1) + 1;
    this.#revisions.set(stream, revision);
    this.events.push({ stream, type, data, time, revision: String(revision) });
    return this;
  }

  plan(time: string, code: string, monthly: string, more: object = {}): this {
    const known = this.#revisions.has(`plan-${code}`);
    return this.add(time, `plan-${code}`, `billing.Plan${known ? 'TermsReplaced' : 'Defined'}`, {
      ...{ planId: code, includedAddresses: 1, zone: 'UTC', monthly: eur(monthly) },
      ...{ setup: eur('5.00'), extraAddressMonthly: eur('2.00'), ...more },
    });
  }

  life(time: string, type: string, more: object = {}, containerId = 'web'): this {
    const facts = { containerId, tenantId: 'customer', ...more };
    return this.add(time, `container-${containerId}`, `containers.${type}`, facts);
  }

  /** A fact as its definition has it: what the log gets is checked against its schema. */
  fact(
    { type, schema }: EventDefinition,
    time: string,
    body: { readonly containerId: string; readonly [field: string]: unknown },
  ): this {
    return this.add(time, `container-${body.containerId}`, type, schema.parse(body));
  }

  close(time: string, accountId = 'customer', month = '2026-04'): this {
    return this.add(time, `account-${accountId}`, 'billing.MonthClosed', { accountId, month });
  }

  /** As billing would issue it, in minor units. */
  issue(total: number, parts: readonly number[], lineCount: number, accountId = 'customer'): this {
    const minor = (n: number) => eur((n / 100).toFixed(2));
    const [plans = 0, addresses = 0, setup = 0, addOns = 0, fees = 0] = parts;
    return this.add(MAY, 'series-provider', 'billing.InvoiceIssued', {
      ...{ accountId, issuerId: PROVIDER_ID, month: '2026-04', total: minor(total), lineCount },
      subtotals: {
        ...{ plans: minor(plans), addresses: minor(addresses), setup: minor(setup) },
        ...{ addOns: minor(addOns), fees: minor(fees) },
      },
    });
  }
}

const MARCH = '2026-03-01T00:00:00.000Z';
const MAY = '2026-05-01T01:00:00.000Z';
const april = (day: number, hour = 12) =>
  `2026-04-${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00.000Z`;
const planOf = (code: string, more: object = {}) => ({
  plan: { planId: code, source: source(`plan-${code}`), ...more },
});
const addresses = (...leases: string[]) => ({ addresses: leases.map((leaseId) => ({ leaseId })) });

/** A customer of the provider, and the plan small. */
function world(): Log {
  return new Log()
    .add(MARCH, 'tree-p', 'accounts.TenantCreated', { tenantId: PROVIDER_ID, parentId: null })
    .add(MARCH, 'tree-c', 'accounts.TenantCreated', { tenantId: 'customer', parentId: PROVIDER_ID })
    .plan(MARCH, 'small', '10.00')
    .plan(MARCH, 'large', '40.00', { includedAddresses: 2 });
}

const runs = (log: Log, day: number, ...leases: string[]) =>
  log.life(april(day), 'ContainerRunning', { ...planOf('small'), ...addresses('a', ...leases) });

/** The parts of the only bill. */
function parts(log: Log): Bill['parts'] & { total: bigint; lines: number } {
  const bills = recompute(log.events);
  expect(bills).toHaveLength(1);
  const [bill] = bills;
  if (bill === undefined) throw new Error('there is no bill');
  return { ...bill.parts, total: bill.total, lines: bill.lines };
}

describe('by hand', () => {
  test('a container from the 10th: 21 of 30 days, and its set-up', () => {
    expect(parts(runs(world(), 10).close(MAY))).toMatchObject({
      ...{ plans: 700n, setup: 500n, addresses: 0n, total: 1200n, lines: 2 },
    });
  });

  test('half a cent is a cent', () => {
    const log = world().plan(MARCH, 'odd', '0.45', { setup: eur('0.00') });
    // One day: 45 / 30 = 1.5 cents.
    log.life(april(30), 'ContainerRunning', { ...planOf('odd'), ...addresses('a') }).close(MAY);
    expect(parts(log)).toMatchObject({ plans: 2n, total: 2n, lines: 1 });
  });

  test('resized twice: each day at what it ended with, no line for what never ended one', () => {
    const log = runs(world(), 1)
      .life(april(11, 9), 'ContainerResized', planOf('large'))
      .life(april(21, 9), 'ContainerResized', planOf('small'))
      .life(april(21, 10), 'ContainerResized', planOf('large'))
      .close(MAY);
    // 10 days at 10.00, 20 at 40.00: one line, for there and back in a day changes nothing.
    expect(parts(log)).toMatchObject({ plans: 333n + 2667n, lines: 3 });
  });

  test('the senior addresses are the included ones, whoever leaves', () => {
    const log = runs(world(), 1)
      .life(april(6), 'AddressesAttached', addresses('b', 'c'))
      .life(april(16), 'AddressesDetached', { leaseIds: ['a'] })
      .close(MAY);
    // b for 10 days until a leaves, c for 25: 0.67 + 1.67.
    expect(parts(log)).toMatchObject({ addresses: 67n + 167n, lines: 4 });
  });

  test('deleted and restored on one day is charged once, by the elder, and set up once', () => {
    const log = runs(world(), 1)
      .life(april(10, 9), 'ContainerSoftDeleted')
      .life(april(10, 10), 'ContainerRestored', { ...planOf('small'), ...addresses('a') })
      .life(april(12, 9), 'ContainerSoftDeleted')
      .life(april(20, 9), 'ContainerDeleted', { ran: true })
      .close(MAY);
    // 9 days; the 10th is the younger's, as the elder's last day does not count; then the 11th.
    expect(parts(log)).toMatchObject({ plans: 300n + 67n, setup: 500n });
  });

  test('what ends on the day it began has that day', () => {
    const log = runs(world(), 10).life(april(10, 20), 'ContainerDeleted', { ran: true }).close(MAY);
    expect(parts(log)).toMatchObject({ plans: 33n, setup: 500n });
  });

  test('add-ons by days and number, until cancelled or with their container; fees whole', () => {
    const attach = (id: string, more: object) => ({
      ...{ accountId: 'customer', addOnId: id, zone: 'UTC', monthly: eur('3.00'), quantity: 2 },
      ...{ attachedAt: april(16), containerId: null, ...more },
    });
    const log = runs(world(), 1)
      .add(april(16), 'account-c', 'billing.AddOnAttached', attach('own', {}))
      .add(april(16), 'account-c', 'billing.AddOnAttached', attach('its', { containerId: 'web' }))
      .add(april(21), 'account-c', 'billing.AddOnCancelled', {
        ...{ accountId: 'customer', addOnId: 'own', endsAt: april(21) },
      })
      .add(april(30, 23), 'account-c', 'billing.FeeCharged', {
        ...{ accountId: 'customer', zone: 'Europe/Berlin', amount: eur('7.00') },
        chargedAt: april(30, 23),
      })
      .add(april(30, 20), 'account-c', 'billing.FeeCharged', {
        ...{ accountId: 'customer', zone: 'Europe/Berlin', amount: eur('9.00') },
        chargedAt: april(30, 20),
      })
      .life(april(26), 'ContainerDeleted', { ran: true })
      .close(MAY);
    // 2 x 3.00 x 5/30 and 10/30; at 23:00 UTC it is May in Berlin.
    expect(parts(log)).toMatchObject({ addOns: 100n + 200n, fees: 900n });
  });

  test('an order that was undone costs nothing, and addresses whose attaching was undone neither', () => {
    const attached = {
      containerId: 'web',
      monthly: eur('3.00'),
      quantity: 1,
      attachedAt: april(5),
    };
    const log = runs(world(), 1)
      .add(april(5), 'account-c', 'billing.AddOnAttached', {
        ...{ accountId: 'customer', addOnId: 'its', zone: 'UTC', ...attached },
      })
      .life(april(6), 'ContainerDeleted', { ran: true })
      .life(april(6), 'OrderUndone')
      .life(april(1), 'ContainerRunning', { ...planOf('small'), ...addresses('x') }, 'other')
      .life(april(6), 'AddressesAttached', addresses('y'), 'other')
      .life(april(8), 'AddressesDetached', { leaseIds: ['y'], undone: true }, 'other')
      .close(MAY);
    expect(parts(log)).toMatchObject({ plans: 1000n, setup: 500n, addresses: 0n, addOns: 0n });
  });

  test('what was undone is left out as the containers’ own events say it', () => {
    const customer = deriveId('tenant', 'customer');
    const [undone, kept] = [deriveId('container', 'undone'), deriveId('container', 'kept')];
    const [first, more] = [deriveId('lease', 'first'), deriveId('lease', 'more')];
    const log = world().add(MARCH, 'tree-c', 'accounts.TenantCreated', {
      ...{ tenantId: customer, parentId: PROVIDER_ID },
    });
    for (const containerId of [undone, kept]) {
      log.life(
        april(1),
        'ContainerRunning',
        { tenantId: customer, ...planOf('small'), ...addresses(first) },
        containerId,
      );
    }
    log.life(april(2), 'AddressesAttached', { tenantId: customer, ...addresses(more) }, kept);
    const own = { tenantId: customer, containerId: kept, leaseIds: [more] };
    log.fact(AddressesDetached, april(9), { ...own, detachedAt: april(9), undone: true });
    const at = { tenantId: customer, containerId: undone, undoneAt: april(9) };
    log.fact(OrderUndone, april(9), at).close(MAY, customer);
    expect(parts(log)).toMatchObject({ plans: 1000n, setup: 500n, addresses: 0n });
    // Without what says so, all is charged that was ever there.
    const unsaid = log.events.map((event) =>
      event.type === OrderUndone.type ? { ...event, type: 'containers.ContainerRenamed' } : event,
    );
    expect(recompute(unsaid)).toMatchObject([{ parts: { plans: 2000n, setup: 1000n } }]);
  });

  test('a reseller charges its own price and pays the catalog’s', () => {
    const log = new Log()
      .add(MARCH, 'tree-r', 'accounts.TenantCreated', {
        tenantId: 'reseller',
        parentId: PROVIDER_ID,
      })
      .add(MARCH, 'tree-r', 'accounts.TenantCreated', {
        tenantId: 'customer',
        parentId: 'reseller',
      })
      .plan(MARCH, 'small', '10.00')
      .add(MARCH, 'prices-reseller', 'billing.PriceSet', {
        ...{ issuerId: 'reseller', planId: 'small', monthly: eur('15.00') },
        ...{ setup: eur('1.00'), extraAddressMonthly: eur('3.00') },
      });
    const pricedBy = source('prices-reseller');
    log
      .life(april(1), 'ContainerRunning', {
        ...planOf('small', { pricedBy }),
        ...addresses('a', 'b'),
      })
      .close(MAY)
      .close(MAY, 'reseller');
    expect(recompute(log.events)).toMatchObject([
      {
        accountId: 'customer',
        issuerId: 'reseller',
        parts: { plans: 1500n, addresses: 300n, setup: 100n },
      },
      {
        accountId: 'reseller',
        issuerId: PROVIDER_ID,
        parts: { plans: 1000n, addresses: 200n, setup: 500n },
      },
    ]);
  });

  test('new prices for who has the plan count from the first month that begins with them', () => {
    const log = world();
    log.life('2026-03-20T12:00:00.000Z', 'ContainerRunning', {
      ...planOf('small'),
      ...addresses('a'),
    });
    const from = '2026-03-25T00:00:00.000Z';
    log.plan('2026-03-22T00:00:00.000Z', 'small', '12.34', {
      effectiveFrom: from,
      forExisting: true,
    });
    log.plan('2026-03-22T00:00:00.000Z', 'small', '99.00', {
      effectiveFrom: april(2),
      forExisting: true,
    });
    log.close('2026-04-01T01:00:00.000Z', 'customer', '2026-03').close(MAY);
    expect(recompute(log.events).map(({ parts }) => parts.plans)).toEqual([387n, 1234n]);
  });

  test('a fact that comes when its month is closed counts from the end of it', () => {
    const log = runs(world(), 10)
      .close(april(20))
      .life(april(21), 'ContainerDeleted', { ran: true });
    log.close('2026-06-01T01:00:00.000Z', 'customer', '2026-05');
    // Closed too early, but closed: April is whole, and the day on which it ends is no day of May's.
    expect(recompute(log.events).map(({ parts }) => parts.plans)).toEqual([700n]);
  });
});

describe('compared with what was invoiced', () => {
  const invoiced = () => runs(world(), 10).close(MAY);

  test('the same to the cent is right', () => {
    const log = invoiced().issue(1200, [700, 0, 500], 2);
    const { compared, mismatches, totals } = compareInvoices(log.events);
    expect({ compared, mismatches }).toEqual({ compared: 1, mismatches: [] });
    expect(totals.get(PROVIDER_ID)?.get('EUR')).toBe(1200n);
  });

  test.each([
    ['a cent more', (log: Log) => log.issue(1201, [701, 0, 500], 2)],
    ['the same total in other parts', (log: Log) => log.issue(1200, [1200], 2)],
    ['another number of lines', (log: Log) => log.issue(1200, [700, 0, 500], 3)],
    ['another account’s', (log: Log) => log.issue(1200, [700, 0, 500], 2, 'reseller')],
    ['no invoice at all', (log: Log) => log],
  ])('%s is found', (_what, issue) => {
    expect(compareInvoices(issue(invoiced()).events).mismatches.length).toBeGreaterThan(0);
  });

  test('an invoice that nothing was charged for is found', () => {
    const log = world().close(MAY).issue(100, [100], 1);
    expect(compareInvoices(log.events).mismatches).toEqual([
      expect.stringContaining('recomputed nothing'),
    ]);
  });
});

describe('the calendar', () => {
  test('knows months, and days where the clock is set on or back', () => {
    expect(nextMonth('2026-12')).toBe('2027-01');
    expect(daysOf('2028-02')).toHaveLength(29);
    expect(dayOf('2026-03-28T23:00:00.000Z', 'Europe/Berlin')).toBe('2026-03-29');
    expect(midnight('2026-03-30', 'Europe/Berlin')).toBe('2026-03-29T22:00:00.000Z');
    expect(midnight('2026-04-01', 'Asia/Kathmandu')).toBe('2026-03-31T18:15:00.000Z');
    expect(midnight('2026-04-01', 'Pacific/Kiritimati')).toBe('2026-03-31T10:00:00.000Z');
    expect(midnight('2026-04-01', 'America/St_Johns')).toBe('2026-04-01T02:30:00.000Z');
  });
});
