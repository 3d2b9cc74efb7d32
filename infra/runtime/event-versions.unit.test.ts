/**
 * Replicas that write different versions of an event, on one log (law 14): all fold the same, and the
 * release before reads everything until the setting is raised.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  accept,
  command,
  customer,
  event,
  type EventDefinition,
  EventDeclarationError,
  type Principal,
  refuse,
  type Upcaster,
} from '@bivouac/events/language';
import fc from 'fast-check';
import { z } from 'zod';

import { embeddedBus } from '../bus/index.ts';
import { type EventStore, memoryEventStore } from '../event-store/index.ts';
import { memoryViews } from '../views/index.ts';
import { table } from '../views/port.ts';
import { ManualClock } from './clock.ts';
import { commandHost } from './commands/host.ts';
import {
  type Aggregate,
  aggregate,
  type EdgePorts,
  handler,
  on,
  projection,
  service,
  type ServiceDefinition,
} from './definitions.ts';
import { type Host, registryOf, startHost } from './host.ts';
import { createLogger } from './logging.ts';

const v1 = z.strictObject({ euros: customer(z.number()) });
const v2 = z.strictObject({ cents: customer(z.int()), reason: customer(z.string()) });
const toV2: Upcaster = {
  from: 1,
  to: 2,
  upcast: ({ euros }) => ({ cents: Math.round(Number(euros) * 100), reason: 'not said' }),
  downcast: ({ cents }) => ({ euros: Number(cents) / 100 }),
};

const ChargedBefore = event('test.Charged', v1);
const Charged = event('test.Charged', v2, { schemas: { 1: v1 }, upcasters: [toV2], writes: 1 });

const Charge = command({
  name: 'test.Charge',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ id: z.string(), cents: z.int(), reason: z.string() }),
  result: z.strictObject({ charged: z.unknown() }),
});

interface Account {
  cents: number;
  readonly reasons: string[];
}
const ROOM = 100_000;

/** A release: its events, its aggregate and its read model, each in the newest version it knows. */
function release<D extends EventDefinition>(
  Definition: D,
  make: (cents: number, reason: string) => ReturnType<D>,
  read: (data: Record<string, unknown>) => { readonly cents: number; readonly reason: string },
): { readonly service: ServiceDefinition; readonly account: Aggregate<Account> } {
  const account = aggregate<Account, readonly [D]>({
    category: 'account',
    events: [Definition],
    initial: () => ({ cents: 0, reasons: [] }),
    evolve: (state, { data }) => {
      const { cents, reason } = read(data);
      state.cents += cents;
      state.reasons.push(reason);
      return state;
    },
  });
  const charges = table<{ readonly id: string; readonly cents: number; readonly reason: string }>()(
    { name: 'charges', key: (row) => row.id, indexes: {} },
  );
  const charge = handler(Charge, account, {
    stream: ({ id }) => `account-${id}`,
    owner: (_input, { tenantId, homeId }) => ({ tenantId, homeId }),
    decide: (state, { cents, reason }) =>
      state.cents + cents > ROOM
        ? refuse('TOO_MUCH', 'It would go beyond the room; charge less.')
        : accept(make(cents, reason)),
    result: (events) => ({ charged: events.map(({ data }) => data) }),
  });
  return {
    account,
    service: service({
      name: 'test',
      events: [Definition],
      commands: [charge],
      queries: [],
      projections: [
        projection({
          name: 'test.charges',
          tables: [charges],
          on: [
            on(Definition, (recorded, view) => {
              const { id, data } = recorded as { id: string; data: Record<string, unknown> };
              view.put(charges, { id, ...read(data) });
            }),
          ],
        }),
      ],
      policies: [],
      responders: [],
    }),
  };
}

const CentsSchema = z.object({ cents: z.number(), reason: z.string() });
const before = release(
  ChargedBefore,
  (cents) => ChargedBefore({ euros: cents / 100 }),
  ({ euros }) => ({ cents: Math.round(Number(euros) * 100), reason: 'not said' }),
);
const after = release(
  Charged,
  (cents, reason) => Charged({ cents, reason }),
  (data) => CentsSchema.parse(data),
);
const raised = new Map([[Charged.type, 2]]);

const principal: Principal = {
  ...{ id: 'key_a', kind: 'key', tenantId: 'a', homeId: 'a', audience: 'customer' },
  reach: new Set(['a']),
  rights: 'all',
};
const ports = {
  keys: { hmac: (owner: string) => owner },
  random: (bytes: number) => new Uint8Array(bytes),
} as unknown as EdgePorts;
const clock = new ManualClock('2026-04-10T09:00:00.000Z');

const closing: (() => Promise<void>)[] = [];
async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}
afterEach(closeAll);

function newStore(): EventStore {
  const store = memoryEventStore();
  closing.push(() => store.close());
  return store;
}

async function start(
  store: EventStore,
  of: ServiceDefinition,
  written?: ReadonlyMap<string, number>,
): Promise<{ readonly host: Host; readonly failures: unknown[] }> {
  const failures: unknown[] = [];
  const bus = embeddedBus({ store, clock });
  closing.push(() => bus.close());
  const host = await startHost({
    ...{ services: [of], store, bus, ports, clock },
    ...(written === undefined ? {} : { written }),
    views: () => memoryViews(),
    logger: createLogger('silent'),
    providerId: () => 'provider',
    onFailure: (error) => failures.push(error),
  });
  closing.push(() => host.stop(1000));
  return { host, failures };
}

let keys = 0;
async function charge(
  host: Pick<Host, 'command'>,
  cents: number,
  reason = 'a month',
  idempotencyKey = `key ${++keys}`,
) {
  const reply = await host.command(
    Charge,
    { id: 'x', cents, reason },
    { principal, idempotencyKey },
  );
  return reply.ok ? reply.result.charged : reply.refusal.code;
}

async function versionsIn(store: EventStore): Promise<number[]> {
  return (await store.readAll()).events.map(({ schemaver }) => schemaver);
}

describe('replicas of a release that write different versions on one log', () => {
  test('decide on the same state, whoever wrote what and in which order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            writer: fc.nat({ max: 2 }),
            cents: fc.integer({ min: 1, max: 20_000 }),
            reason: fc.constantFrom('a month', 'an address'),
          }),
          { maxLength: 40 },
        ),
        async (charges) => {
          const store = newStore();
          const hosts = [undefined, new Map([[Charged.type, 1]]), raised].map((written) =>
            commandHost({
              ...{ handlers: after.service.commands, store, clock, ports },
              registry: registryOf([after.service], written),
              providerId: () => 'provider',
            }),
          );
          for (const host of hosts) closing.push(() => host.stop());
          const model: Account = { cents: 0, reasons: [] };
          for (const { writer, cents, reason } of charges) {
            const host = hosts[writer];
            if (host === undefined) throw new Error('no such host');
            const fits = model.cents + cents <= ROOM;
            const said = writer === 2 ? reason : 'not said';
            expect(await charge(host, cents, reason)).toEqual(
              fits ? [{ cents, reason: said }] : 'TOO_MUCH',
            );
            if (!fits) continue;
            model.cents += cents;
            model.reasons.push(said);
          }
          for (const host of hosts) {
            expect((await host.load(after.account, 'account-x')).state).toEqual(model);
          }
          await closeAll();
        },
      ),
      { numRuns: 50 },
    );
  });

  test('have the same rows, and answer a repeat of what another one did as it did', async () => {
    const store = newStore();
    const { host: one } = await start(store, after.service);
    const { host: two } = await start(store, after.service, raised);
    for (let n = 1; n <= 10; n++) await charge(n % 2 === 0 ? one : two, n, `charge ${n}`);
    const first = await charge(one, 11, 'once', 'same');
    expect(first).toEqual([{ cents: 11, reason: 'not said' }]);
    expect(await charge(two, 11, 'once', 'same')).toEqual(first);
    await one.settled();
    await two.settled();
    expect(await versionsIn(store)).toEqual([2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]);
    const live = one.follower.dump('test').sha256;
    expect(two.follower.dump('test').sha256).toBe(live);
    await two.follower.rebuild('test');
    expect(two.follower.dump('test').sha256).toBe(live);
  });
});

describe('beside the release before', () => {
  test('the new one writes what that reads, and reads what that writes', async () => {
    const store = newStore();
    const { host: old, failures } = await start(store, before.service);
    const { host: fresh } = await start(store, after.service);
    await charge(old, 60_000);
    expect(await charge(fresh, 30_000)).toEqual([{ cents: 30_000, reason: 'not said' }]);
    // Each decides on what the other did.
    expect(await charge(old, 20_000)).toBe('TOO_MUCH');
    expect(await charge(fresh, 20_000)).toBe('TOO_MUCH');
    expect(await charge(old, 10_000)).toEqual([{ euros: 100 }]);
    await old.settled();
    await fresh.settled();
    expect(await versionsIn(store)).toEqual([1, 1, 1]);
    expect(failures).toEqual([]);
    expect(old.follower.dump('test').sha256).toBe(fresh.follower.dump('test').sha256);
  });

  test('raised too early, that one stops loudly at what it cannot read and decides nothing on it', async () => {
    const store = newStore();
    const { host: old, failures } = await start(store, before.service);
    const { host: fresh } = await start(store, after.service, raised);
    await charge(fresh, 99_999);
    await expect(charge(old, 20_000)).rejects.toThrow(
      /test\.Charged has version 2, this build reads up to 1: upgrade it/,
    );
    await expect(old.settled()).rejects.toThrow('the host has failed');
    expect(String(failures[0])).toMatch(/test\.Charged|upgrade/);
    expect(await versionsIn(store)).toEqual([2]);
  });

  test('lowered again, the log with both versions is read all the same', async () => {
    const store = newStore();
    const { host } = await start(store, after.service, raised);
    await charge(host, 1, 'said');
    await host.stop(1000);
    const { host: lowered } = await start(store, after.service);
    await charge(lowered, 2, 'unsaid');
    await lowered.settled();
    expect(await versionsIn(store)).toEqual([2, 1]);
    expect(await charge(lowered, ROOM - 3)).toEqual([{ cents: ROOM - 3, reason: 'not said' }]);
  });
});

test('a host told to write what it cannot does not start', async () => {
  const store = newStore();
  const told = new Map([
    [Charged.type, 3],
    ['test.Charges', 1],
  ]);
  const starting = start(store, after.service, told);
  await expect(starting).rejects.toThrow(EventDeclarationError);
  await expect(starting).rejects.toThrow(/no version 3.*test\.Charges is no event type/);
});
