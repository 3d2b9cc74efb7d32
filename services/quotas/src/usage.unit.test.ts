/** Hours and days as they are asked for: sums over the tree, hours for a while, days for ever. */
import { expect, test } from '@jest/globals';
import { eventRegistry, formatPosition, type Decided } from '@bivouac/events/language';
import type { UsageEntry } from '@bivouac/events/node';
import {
  LimitSet,
  quotasEvents,
  Released,
  Reserved,
  TenantOpened,
  UsageAmended,
  UsageHourClosed,
  UsageRolledUp,
} from '@bivouac/events/quotas';
import { deriveId, plusSeconds, uuidOf } from '@bivouac/events/values';
import { type QueryContext, timers } from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import fc from 'fast-check';

import {
  type QuotaDay,
  QuotaDays,
  type Resolution,
  UsageOfContainer,
  UsageOfTenant,
  type UsageView,
} from './api/index.ts';
import { home, reservationId, vector } from './given.ts';
import { usageStream } from './domain/usage.ts';
import { ledgerProjection } from './projections/ledger.ts';
import { usageProjection } from './projections/usage.ts';
import { quotaDaysProjection } from './projections/quota-days.ts';
import { quotaQueries } from './queries/quotas.ts';
import { usageQueries } from './queries/usage.ts';

const hour = '2026-04-10T09:00:00.000Z';
const node = deriveId('node', 'a');
const [reseller, customer] = ['reseller', 'customer'].map((name) => deriveId('tenant', name)) as [
  string,
  string,
];
const registry = eventRegistry(quotasEvents);
const container = (name: string): string => deriveId('container', name);

function entry(
  name: string,
  used: number,
  changed: Partial<UsageEntry> & { readonly tenantId?: string } = {},
): UsageEntry & { tenantId: string } {
  const counted = { used: String(used), first: '0', last: String(used), restarts: 0 };
  return {
    containerId: container(name),
    tenantId: customer,
    ...{ from: hour, to: plusSeconds(hour, 3600), gapSeconds: 1, memoryPeakBytes: String(used) },
    ...{ processesPeak: used, diskBytes: String(used) },
    ...{ cpuNanos: counted, receivedBytes: counted, sentBytes: counted },
    ...changed,
  };
}

/** A read model that is told events. */
class Model {
  readonly views = memoryViews();
  #position = 0n;

  constructor() {
    this.tell(TenantOpened({ tenantId: home, homeId: home, parentId: null }));
    this.tell(TenantOpened({ tenantId: reseller, homeId: home, parentId: home }));
    this.tell(TenantOpened({ tenantId: customer, homeId: home, parentId: reseller }));
  }

  used(
    at: string,
    entries: (UsageEntry & { tenantId: string })[],
    late = false,
    recordedAt = hour,
  ): void {
    const part = {
      ...{ homeId: home, hour: at, nodeId: node, meterId: uuidOf('meter'), part: 0 },
      ...{ samples: 12, samplesDigest: 'd'.repeat(64), concerned: [node], entries },
    };
    this.tell(late ? UsageAmended(part) : UsageRolledUp(part), recordedAt);
  }

  closed(at: string): void {
    this.tell(UsageHourClosed({ homeId: home, hour: at, reported: [node], missing: [] }));
  }

  tell(event: Decided, time = hour): void {
    this.#position += 1n;
    const recorded = registry.decode({
      ...registry.encode(event),
      ...{ id: uuidOf(`${this.#position}`), type: event.type, time, epoch: 'e' },
      ...{ tenantid: home, homeid: home, actorid: 'a', correlationid: 'c', causationid: 'c' },
      ...{ commandkey: 'k', inputhash: '', stream: usageStream(home, hour) },
      ...{ revision: this.#position, position: formatPosition(this.#position) },
    });
    if (recorded === undefined) throw new Error(event.type);
    const { epoch, position, id: eventId } = recorded;
    this.views.apply({ epoch, position, eventId }, (view) => {
      for (const { handlers } of [ledgerProjection, usageProjection, quotaDaysProjection])
        handlers.get(event.type)?.(recorded, view);
    });
  }

  async of(
    subject: { readonly container: string } | { readonly tenant: string },
    resolution: Resolution,
    reach: readonly string[] = [home, reseller, customer],
    range = { from: '2020-01-01T00:00:00.000Z', to: '2030-01-01T00:00:00.000Z' },
  ): Promise<UsageView[] | null> {
    const contract = 'container' in subject ? UsageOfContainer : UsageOfTenant;
    const handler = usageQueries.find((one) => one.contract.name === contract.name);
    const context = { reaches: (id: string) => reach.includes(id) } as unknown as QueryContext;
    const args =
      'container' in subject
        ? { containerId: container(subject.container) }
        : { tenantId: subject.tenant };
    return (await handler?.run(this.views.view, { ...args, ...range, resolution }, context)) as
      UsageView[] | null;
  }
}

const sum = (rows: readonly UsageView[] | null): number =>
  (rows ?? []).reduce((all, { cpuNanos }) => all + Number(cpuNanos), 0);

test('each account’s use is the sum of its containers’ and of those below, by hours and by days', async () => {
  const report = fc.record({
    at: fc.nat(100),
    late: fc.boolean(),
    entries: fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        of: fc.constantFrom(home, reseller, customer),
        used: fc.nat(1000),
      }),
      { maxLength: 5 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(report, { maxLength: 10 }), async (reports) => {
      const model = new Model();
      const expected = new Map<string, number>();
      for (const { at, late, entries } of reports) {
        model.used(
          plusSeconds(hour, at * 3600),
          // A container has one tenant.
          entries.map(({ name, of, used }) => entry(`${name} ${of}`, used, { tenantId: of })),
          late,
        );
        for (const { of, used } of entries)
          for (const level of [home, reseller, customer].slice(
            0,
            [home, reseller, customer].indexOf(of) + 1,
          ))
            expected.set(level, (expected.get(level) ?? 0) + used);
      }
      for (const tenant of [home, reseller, customer]) {
        for (const resolution of ['hour', 'day'] as const)
          expect(sum(await model.of({ tenant }, resolution))).toBe(expected.get(tenant) ?? 0);
      }
    }),
    { numRuns: 40 },
  );
});

test('a container shows the highest that was seen of memory and processes, and the last of its disk', async () => {
  const model = new Model();
  model.used(hour, [entry('web', 7)]);
  // An amendment of what was seen earlier.
  model.used(hour, [entry('web', 9, { to: plusSeconds(hour, 1800), diskBytes: '1' })], true);
  expect(await model.of({ container: 'web' }, 'hour')).toEqual([
    {
      ...{ start: hour, cpuNanos: '16', receivedBytes: '16', sentBytes: '16', gapSeconds: 2 },
      ...{ memoryPeakBytes: '9', processesPeak: 9, diskBytes: '7' },
    },
  ]);
  const [account] = (await model.of({ tenant: home }, 'day')) ?? [];
  expect(account).toMatchObject({ cpuNanos: '16', memoryPeakBytes: null, diskBytes: null });
});

test('is shown from a time and before another, oldest first, to whom it concerns', async () => {
  const model = new Model();
  const at = (n: number): string => plusSeconds(hour, n * 3600);
  for (let n = 0; n < 900; n++) model.used(at(n), [entry('web', n)]);
  const range = { from: at(3), to: at(6) };
  const shown = await model.of({ container: 'web' }, 'hour', [customer], range);
  expect(shown?.map(({ start, cpuNanos }) => [start, cpuNanos])).toEqual([
    [at(3), '3'],
    [at(4), '4'],
    [at(5), '5'],
  ]);
  expect(await model.of({ container: 'web' }, 'hour', [])).toBeNull();
  expect(await model.of({ container: 'none' }, 'hour')).toBeNull();
  expect(await model.of({ tenant: home }, 'day', [customer])).toBeNull();
  expect(
    await model.of({ tenant: deriveId('tenant', 'x') }, 'day', [deriveId('tenant', 'x')]),
  ).toBeNull();
});

test('hours go after a hundred days, days stay', async () => {
  const model = new Model();
  const at = (n: number): string => plusSeconds(hour, n * 86_400);
  for (let n = 0; n < 250; n++) model.used(at(n), [entry('web', 1)]);
  const hours = (await model.of({ container: 'web' }, 'hour')) ?? [];
  expect([hours.length, hours[0]?.start]).toEqual([101, at(149)]);
  expect(await model.of({ container: 'web' }, 'day')).toHaveLength(250);
  expect(sum(await model.of({ tenant: home }, 'day'))).toBe(250);
});

test('an hour that is rolled up has a timer until it is closed', () => {
  const model = new Model();
  const due = () => model.views.view.range(timers, 'byDue', [], { limit: 10 });
  model.used(hour, [entry('web', 1)]);
  model.used(hour, [entry('db', 1)]);
  expect(due().map(({ row }) => [row.due, row.command, row.input])).toEqual([
    [plusSeconds(hour, 3 * 3600), 'quotas.CloseUsageHour', { homeId: home, hour }],
  ]);
  model.closed(hour);
  expect(due()).toEqual([]);
});

test('a quota’s history has the most that was taken each day, on every level, and the last limit', async () => {
  const model = new Model();
  const at = (n: number): string => plusSeconds(hour, n * 3600);
  const reserve = (name: string, containers: number): void => {
    const facts = { reservationId: reservationId(name), tenantId: customer, homeId: home };
    model.tell(Reserved({ ...facts, vector: vector({ containers }), notAfter: hour }));
  };
  reserve('a', 5);
  model.used(at(0), [entry('web', 1)], false, at(1));
  const released = { reservationId: reservationId('a'), tenantId: customer, homeId: home };
  model.tell(Released({ ...released, vector: vector({ containers: 5 }), committed: false }));
  reserve('b', 2);
  const limit = vector({ containers: 9 });
  const set = { tenantId: customer, homeId: home, limit, previous: null, reason: 'more' };
  model.tell(LimitSet(set));
  model.used(at(1), [entry('web', 1)], false, at(2));
  model.used(at(15), [entry('web', 1)], false, at(16));

  const handler = quotaQueries.find((one) => one.contract.name === QuotaDays.name);
  const days = async (tenantId: string, reach = [home, customer]) => {
    const context = { reaches: (id: string) => reach.includes(id) } as unknown as QueryContext;
    const range = { from: '2026-04-10T00:00:00.000Z', to: '2026-05-10T00:00:00.000Z' };
    const found = (await handler?.run(model.views.view, { tenantId, ...range }, context)) as
      QuotaDay[] | null;
    return found?.map(({ start, axes }) => {
      const [containers] = axes;
      return [start.slice(0, 10), containers?.used, containers?.limit];
    });
  };
  expect(await days(customer)).toEqual([
    ['2026-04-10', '5', '9'],
    ['2026-04-11', '2', '9'],
  ]);
  expect(await days(home)).toEqual([
    ['2026-04-10', '5', null],
    ['2026-04-11', '2', null],
  ]);
  expect(await days(reseller)).toBeUndefined();
});
