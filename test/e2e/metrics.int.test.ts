/** What an installation measures of itself, after what really happened to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seed, START, startEmbedded } from '@bivouac/all';
import { DunningHoldDue } from '@bivouac/events/billing';
import { eventRegistry, type NewEvent } from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { EventStoreError } from '@bivouac/infra/event-store';
import {
  createLogger,
  ManualClock,
  portsOfDataFolder,
  processMetrics,
  readConfig,
  systemPrincipal,
} from '@bivouac/infra/runtime';
import { SetLimit } from '@bivouac/quotas/api';
import { afterEach, expect, test } from '@jest/globals';

import { limitOf } from './installation.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const registry = eventRegistry([DunningHoldDue]);

async function measured() {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-metrics-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const clock = new ManualClock(START);
  const metrics = processMetrics();
  const config = {
    ...readConfig({ DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}` }),
    ...portsOfDataFolder,
  };
  const logger = createLogger('silent', process.stderr);
  const installation = await startEmbedded({
    ...{ config, clock, logger, metrics, providerName: 'Measured' },
    onFailure: (error) => {
      console.error(error);
    },
  });
  ends.push(() => installation.stop(10_000));
  const { host, provider, store } = installation;
  const seeded = await seed(host, provider);
  await host.settled();
  /** The value of a series as it is scraped now; undefined where there is none. */
  const value = async (series: string): Promise<number | undefined> => {
    const { text } = await metrics.scrape();
    const line = text.split('\n').find((one) => one.startsWith(`bivouac_${series} `));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  const limit = (containers: number, idempotencyKey: string) =>
    host.command(
      SetLimit,
      {
        ...{ tenantId: seeded.customer.tenantId, homeId: seeded.customer.homeId },
        limit: limitOf(containers),
        reason: 'a test',
      },
      {
        principal: systemPrincipal('system:test', provider.tenantId, provider.homeId),
        idempotencyKey,
      },
    );
  return { clock, host, store, seeded, value, limit, folder, installation };
}

test('an installation at rest lags nowhere, and holds every partition', async () => {
  const { value, host, clock } = await measured();
  clock.advance(1000);
  await host.settled();
  for (const service of ['accounts', 'billing', 'provisioning']) {
    expect(await value(`follower_lag_events{follower="${service}"}`)).toBe(0);
    expect(await value(`partitions_held{service="${service}"}`)).toBe(64);
    expect(await value(`parked_homes{service="${service}"}`)).toBe(0);
    expect(await value(`follower_events_total{follower="${service}"}`)).toBeGreaterThan(10);
    expect(await value(`commits_total{service="${service}"}`)).toBeGreaterThan(0);
  }
  expect(await value('policy_lag_events{policy="billing.book-invoices"}')).toBe(0);
  expect(await value('timers_due{service="billing"}')).toBe(0);
  expect(await value('frozen_streams')).toBe(0);
});

test('a command is counted by its outcome; a conflict makes it be decided again', async () => {
  const { value, limit, store } = await measured();
  const before = (await value('appends_total{outcome="done"}')) ?? 0;
  expect((await limit(7, 'a')).ok).toBe(true);
  expect(await value('commands_total{contract="quotas.SetLimit",outcome="done"}')).toBe(2);
  expect((await limit(7, 'a')).ok).toBe(true);
  expect(await value('commands_total{contract="quotas.SetLimit",outcome="repeated"}')).toBe(1);
  expect((await value('appends_total{outcome="done"}')) ?? 0).toBeGreaterThan(before);

  failNext(store, new EventStoreError('conflict', 'somebody was first'));
  expect((await limit(8, 'b')).ok).toBe(true);
  expect(await value('conflicts_total{category="ledger"}')).toBe(1);
});

test('an append of which nobody knows the outcome freezes its stream, and both are counted', async () => {
  const { value, limit, store, clock } = await measured();
  failNext(store, new EventStoreError('outcome-unknown', 'no answer came'));
  const answered = limit(9, 'c');
  while ((await value('frozen_streams')) !== 1) await new Promise((r) => setImmediate(r));
  expect(await value('unknown_outcomes_total{category="ledger"}')).toBe(1);
  clock.advance(50);
  expect((await answered).ok).toBe(true);
  expect(await value('frozen_streams')).toBe(0);
});

test('a home that is parked is counted, and what its policy did with the event', async () => {
  const { value, store, seeded, clock, host } = await measured();
  const policy = 'accounts.dunning-holds';
  await store.append('overdue-1', 'no-stream', [
    overdueOf(deriveId('tenant', 'nobody'), seeded.customer.homeId, clock),
  ]);
  await host.settled();
  expect(await value('parked_homes{service="accounts"}')).toBe(1);
  expect(await value(`policy_events_total{policy="${policy}",outcome="parked"}`)).toBe(1);
  expect(await value(`policy_events_total{policy="${policy}",outcome="again"}`)).toBe(2);
});

/** The next append of a ledger fails so; then all goes on. */
function failNext(
  store: {
    append: (
      stream: string,
      expected: bigint | 'no-stream',
      events: readonly NewEvent[],
    ) => Promise<unknown>;
  },
  error: EventStoreError,
): void {
  const append = store.append.bind(store);
  Object.assign(store, {
    append: (...what: Parameters<typeof append>) => {
      if (!what[0].startsWith('ledger-')) return append(...what);
      Object.assign(store, { append });
      return Promise.reject(error);
    },
  });
}

function overdueOf(accountId: string, homeId: string, clock: ManualClock): NewEvent {
  const invoiceId = deriveId('invoice', 'overdue');
  const commandkey = uuidOf('overdue');
  return {
    ...registry.encode(DunningHoldDue({ accountId, homeId, invoiceId, stage: 'hold' })),
    ...{ id: uuidOf(commandkey, '0'), type: DunningHoldDue.type, time: instantOf(clock.now()) },
    ...{ tenantid: accountId, homeid: homeId, actorid: 'test', commandkey, inputhash: '' },
    ...{ correlationid: commandkey, causationid: commandkey },
  };
}
