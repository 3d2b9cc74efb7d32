import { describe, expect, it } from '@jest/globals';

import { accountInitial } from './account.ts';
import {
  addAddresses,
  changePlan,
  endSubscription,
  openAccount,
  removeAddresses,
  startSubscription,
} from './charges.ts';
import { closeMonth } from './closing.ts';
import {
  accountId,
  address,
  causeAt,
  containerId,
  eur,
  issuerId,
  larger,
  SampleAccount,
  sampleTerms,
} from './sample-charges.ts';

const typesOf = (events: readonly { readonly type: string }[]): string[] =>
  events.map((event) => event.type);

const toMay = '2026-05-01T00:00:00.000Z';

describe('an account', () => {
  it('is opened once, with the tenant that invoices it', () => {
    const input = { accountId, issuerId, issuerHomeId: issuerId };
    expect(openAccount(accountInitial(), input)).toMatchObject({
      kind: 'accepted',
      events: [{ type: 'billing.AccountOpened', data: input }],
    });
    expect(openAccount(new SampleAccount().state, input)).toEqual({ kind: 'accepted', events: [] });
  });

  it('starts a subscription once per container, with its set-up fee and cause', () => {
    const account = new SampleAccount();
    const events = account.starts('2026-04-10T09:00:00.000Z');
    expect(typesOf(events)).toEqual(['billing.SubscriptionStarted', 'billing.SetupCharged']);
    expect(events[0]?.data).toMatchObject({
      startedAt: '2026-04-10T09:00:00.000Z',
      zone: 'UTC',
      cause: causeAt('2026-04-10T09:00:00.000Z', 'ContainerRunning'),
    });
    expect(events[1]?.data).toMatchObject({ amount: eur('10.00') });
    expect(account.starts('2026-04-10T09:00:00.000Z')).toEqual([]);
    expect(account.starts('2026-04-11T09:00:00.000Z')).toEqual([]);
  });

  it('charges no set-up where the plan has none', () => {
    const events = new SampleAccount().starts('2026-04-10T09:00:00.000Z', 'web1', {
      terms: sampleTerms({ setup: eur('0.00') }),
    });
    expect(typesOf(events)).toEqual(['billing.SubscriptionStarted']);
  });

  it('takes an address up once per attaching event, and lets it go once', () => {
    const account = new SampleAccount();
    account.starts('2026-04-10T09:00:00.000Z');
    expect(typesOf(account.adds('2026-04-15T12:00:00.000Z', 'b'))).toEqual([
      'billing.AddressesAdded',
    ]);
    expect(account.adds('2026-04-15T12:00:00.000Z', 'b')).toEqual([]);
    expect(typesOf(account.removes('2026-04-20T12:00:00.000Z', 'b'))).toEqual([
      'billing.AddressesRemoved',
    ]);
    expect(account.removes('2026-04-20T12:00:00.000Z', 'b')).toEqual([]);
    // The attaching event again, behind the removal: still no second service.
    expect(account.adds('2026-04-15T12:00:00.000Z', 'b')).toEqual([]);
  });

  it('has nothing to remove where an attachment was undone before it came about', () => {
    const account = new SampleAccount();
    expect(account.removes('2026-04-15T12:00:00.000Z', 'b')).toEqual([]);
    account.starts('2026-04-10T09:00:00.000Z');
    expect(account.removes('2026-04-15T12:00:00.000Z', 'b')).toEqual([]);
  });

  it('ends a subscription once, and takes nothing up afterwards', () => {
    const account = new SampleAccount();
    account.starts('2026-04-10T09:00:00.000Z');
    expect(typesOf(account.ends('2026-04-20T09:00:00.000Z'))).toEqual([
      'billing.SubscriptionEnded',
    ]);
    expect(account.ends('2026-04-20T09:00:00.000Z')).toEqual([]);
    expect(account.removes('2026-04-21T09:00:00.000Z', 'web1-first')).toEqual([]);
    expect(() => account.adds('2026-04-21T09:00:00.000Z', 'late')).toThrow('SUBSCRIPTION_ENDED');
  });

  it('refuses what changes or ends a charge that was never started', () => {
    const { state } = new SampleAccount();
    const subject = { accountId, containerId: containerId('web1') };
    const cause = causeAt('2026-04-15T12:00:00.000Z', 'AddressesAttached');
    expect(addAddresses(state, { ...subject, addresses: [address('b')], cause })).toMatchObject({
      refusal: { code: 'SUBSCRIPTION_UNKNOWN' },
    });
    expect(endSubscription(state, { ...subject, cause })).toMatchObject({
      refusal: { code: 'SUBSCRIPTION_UNKNOWN' },
    });
  });

  it('counts what arrives after its month was closed from the end of the closed months', () => {
    const account = new SampleAccount();
    account.starts('2026-03-02T09:00:00.000Z', 'old');
    for (const month of ['2026-03', '2026-04']) {
      account.when((state) =>
        closeMonth(state, { accountId, month, versions: [] }, { now: toMay }),
      );
    }
    const [started, setup] = account.starts('2026-03-31T23:59:00.000Z');
    expect(started?.data).toMatchObject({ startedAt: toMay });
    expect(setup?.data).toMatchObject({ chargedAt: toMay });
    const [ended] = account.ends('2026-04-30T12:00:00.000Z', 'old');
    expect(ended?.data).toMatchObject({ endedAt: toMay });
    // An earlier month that is still open is charged as recorded.
    const [earlier] = account.starts('2026-02-10T09:00:00.000Z', 'earlier');
    expect(earlier?.data).toMatchObject({ startedAt: '2026-02-10T09:00:00.000Z' });
  });

  it('takes up nothing again of a life before the one that is charged, however late it comes', () => {
    const account = new SampleAccount();
    const subject = { accountId, containerId: containerId('web1') };
    const at = (day: number, revision: number) => ({
      ...causeAt(`2026-04-${String(day).padStart(2, '0')}T12:00:00.000Z`, `event-${revision}`),
      revision: String(revision),
    });
    const start = (cause: ReturnType<typeof at>, key?: { restoredBy: string }) =>
      account.when((state) =>
        startSubscription(state, {
          ...{ ...subject, hostname: 'web1', terms: sampleTerms(), zone: 'UTC', cause, key },
          addresses: [address('first')],
        }),
      );
    const facts: (() => readonly unknown[])[] = [
      () => start(at(1, 1)),
      () =>
        account.when((state) =>
          addAddresses(state, { ...subject, addresses: [address('second')], cause: at(2, 2) }),
        ),
      () =>
        account.when((state) => changePlan(state, { ...subject, terms: larger, cause: at(3, 3) })),
      () =>
        account.when((state) =>
          removeAddresses(state, {
            ...{ ...subject, leaseIds: [address('first').leaseId], cause: at(4, 4) },
          }),
        ),
      () => account.when((state) => endSubscription(state, { ...subject, cause: at(5, 5) })),
      () => start(at(8, 6), { restoredBy: at(8, 6).eventId }),
    ];
    for (const fact of facts) expect(fact().length).toBeGreaterThan(0);
    for (const fact of facts) expect(fact()).toEqual([]);
  });
});
