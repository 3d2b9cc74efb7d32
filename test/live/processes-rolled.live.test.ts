/**
 * Two of each part under a load of orders: parts are killed and started, stopped and started, and rolled
 * to a build that reads a newer version of an event, then to one that writes it. Nothing is lost, the
 * replicas have the same rows, and the invoice is that of the same orders in one process.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';
import {
  allServices,
  embedded,
  type Installation,
  newKey,
  operationEnd,
  processes,
  RoleSchema,
  seed,
  START,
  type StartOptions,
} from '@bivouac/all';
import { parkedViolations } from '@bivouac/all/checks/models';
import { is, type StoredEvent } from '@bivouac/events/language';
import {
  CheckpointRecorded,
  createLogger,
  ManualClock,
  readConfig,
  systemClock,
} from '@bivouac/infra/runtime';
import { z } from 'zod';

import { removeBuilds } from '../../infra/process/testing/program.ts';
import { bundled } from '../processes/builds.ts';
import { Client } from '../e2e/client.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

const TIMEOUT = 900_000;
/** Orders, one after the other while all this happens. */
const ORDERS = 45;
const CHARGE = 'billing.SetupCharged';
afterAll(removeBuilds);

const InvoiceSchema = z.object({
  invoice: z.object({
    total: z.object({ amount: z.string() }),
    lines: z.array(z.object({ description: z.string(), amount: z.object({ amount: z.string() }) })),
  }),
});

/** What every run does, whatever becomes of its processes meanwhile. */
class Run {
  readonly installation: Installation;
  readonly clock: ManualClock;
  readonly accepted: string[] = [];
  readonly #owner: Client;
  readonly #staff: Client;
  readonly #order: { readonly accountId: string; readonly imageId: string };

  private constructor(
    installation: Installation,
    clock: ManualClock,
    keys: { readonly owner: string; readonly staff: string },
    order: { readonly accountId: string; readonly imageId: string },
  ) {
    this.installation = installation;
    this.clock = clock;
    const { yoga } = installation.gateway;
    this.#owner = new Client((url, init) => yoga.fetch(url, init), keys.owner);
    this.#staff = new Client((url, init) => yoga.fetch(url, init), keys.staff);
    this.#order = order;
  }

  /** Fills the installation with what the orders need. */
  static async on(installation: Installation, clock: ManualClock): Promise<Run> {
    const { host, provider } = installation;
    const seeded = await seed(host, provider);
    const { customer } = seeded;
    const owner = await newKey(host, customer, seeded.ownerMemberId, 'owner', 'owner');
    const staff = await newKey(host, provider, seeded.staffMemberId, 'staff', 'staff');
    await host.settled();
    const order = { accountId: customer.tenantId, imageId: seeded.imageId };
    return new Run(installation, clock, { owner, staff }, order);
  }

  /** Orders the next; a client that is told to come back comes back, with the same key. */
  async orderNext(): Promise<void> {
    const n = this.accepted.length;
    for (;;) {
      const result = await this.#owner.mutate(
        'provisionContainer',
        { ...this.#order, hostname: `vps${n}.example.com`, plan: '1000' },
        `order ${n}`,
      );
      if (result.operationId !== undefined) {
        this.accepted.push(result.operationId);
        return;
      }
      expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'CONTENTION', 'NOT_YET']).toContain(result.code);
    }
  }

  /** How all orders have ended. Seconds pass, as pauses and deadlines need them to. */
  async ends(): Promise<readonly string[]> {
    const over = new AbortController();
    const passing = (async () => {
      while (!over.signal.aborted) {
        this.clock.advance(1000);
        await systemClock.sleep(500, over.signal);
      }
    })();
    const ends: string[] = [];
    for (const id of this.accepted) ends.push((await operationEnd(this.installation, id)).status);
    over.abort();
    await passing;
    return ends;
  }

  /** The invoice of the month: its total and its lines, in no order. */
  async invoice() {
    this.clock.moveTo('2026-05-01T00:05:00.000Z');
    await this.installation.host.settled();
    const { accountId } = this.#order;
    const closed = await this.#staff.mutate('closeMonth', { accountId, month: '2026-04' }, 'close');
    const ended = await operationEnd(this.installation, closed.operationId ?? '');
    await this.installation.host.settled();
    const { invoice } = await this.#owner.read(
      InvoiceSchema,
      'query ($id: ID!) { invoice(id: $id) { total { amount } lines { description amount { amount } } } }',
      { id: ended.invoiceId },
    );
    const lines = invoice.lines.map(({ description, amount }) => `${description} ${amount.amount}`);
    return { total: invoice.total.amount, lines: lines.sort() };
  }
}

const services = allServices.map(({ name }) => RoleSchema.parse(name));

/** Starts one on a folder of its own, which is removed in the end. */
async function on<I extends Installation>(
  start: (options: StartOptions) => Promise<I>,
  work: (installation: I, clock: ManualClock) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-rolled-'));
  const clock = new ManualClock(START);
  const failures: unknown[] = [];
  try {
    const installation = await start({
      ...{ folder, clock, providerName: 'Provider' },
      logger: createLogger('silent'),
      onFailure: (error) => failures.push(error),
    });
    await work(installation, clock);
    await installation.stop(10_000);
    expect(failures).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function wholeLog({ store }: Installation): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.position;
    const page = await store.readAll(after === undefined ? {} : { after });
    events.push(...page.events);
    if (page.end) return events;
  }
}

test(
  'replicas that die, stop, start and are rolled to a newer version of an event lose nothing',
  async () => {
    if (!(await kafkaIsThere())) return;
    let expected: Awaited<ReturnType<Run['invoice']>> | undefined;
    await on(
      (options) => embedded(readConfig({})).start(options),
      async (installation, clock) => {
        const run = await Run.on(installation, clock);
        for (let n = 0; n < ORDERS; n++) await run.orderNext();
        await run.ends();
        expected = await run.invoice();
      },
    );

    const kind = processes({ busUrl, replicas: 2, build: bundled() });
    const next = bundled({ 'events/billing/account.ts': 'test/processes/account-next.ts' });
    try {
      await on(
        (options) => kind.start(options),
        async (installation, clock) => {
          const run = await Run.on(installation, clock);
          const { replicas, host, nodes } = installation;
          /** Orders a third while something happens to the processes; seconds pass. */
          const meanwhile = async (third: number, happens: () => Promise<void>): Promise<void> => {
            const load = async (): Promise<void> => {
              while (run.accepted.length < (third * ORDERS) / 3) {
                await run.orderNext();
                clock.advance(1000);
              }
            };
            await Promise.all([load(), happens()]);
          };

          await meanwhile(1, async () => {
            for (const role of ['provisioning', 'containers', 'billing', 'endpoint'] as const) {
              await replicas.kill(role, 1);
              await replicas.start(role, 1);
            }
            for (const role of ['accounts', 'quotas', 'relay', 'gateway'] as const) {
              await replicas.roll(role, 1);
            }
          });
          // One after the other, as an operator does: first every replica reads the newer version...
          await meanwhile(2, async () => {
            for (const service of services) {
              for (const number of [1, 2]) await replicas.roll(service, number, { build: next });
            }
          });
          // ...and only then any writes it.
          const settings = { EVENT_VERSIONS: `${CHARGE}=2` };
          await meanwhile(3, async () => {
            for (const number of [1, 2])
              await replicas.roll('billing', number, { build: next, settings });
          });

          const ends = await run.ends();
          expect(ends).toEqual(Array(ORDERS).fill('succeeded'));
          expect(await run.invoice()).toEqual(expected);
          expect(await nodes.instances()).toBe(ORDERS);

          await host.settled();
          for (const service of services) {
            // Throws where its replicas differ.
            const live = await host.follower.dump(service);
            await host.follower.rebuild(service);
            expect([service, await host.follower.dump(service)]).toEqual([service, live]);
          }
          const log = await wholeLog(installation);
          const charges = log.filter(({ type }) => type === CHARGE);
          expect(charges).toHaveLength(ORDERS);
          expect(new Set(charges.map(({ schemaver }) => schemaver))).toEqual(new Set([1, 2]));
          const checkpoints = log.flatMap((stored) => {
            // Of the charges, this build knows one version only.
            const event =
              stored.type === CheckpointRecorded.type ? host.registry.decode(stored) : undefined;
            return event !== undefined && is(event, CheckpointRecorded) ? [event] : [];
          });
          expect(checkpoints.length).toBeGreaterThan(0);
          expect(parkedViolations(checkpoints)).toEqual([]);
        },
      );
    } finally {
      await kind.dispose();
    }
  },
  TIMEOUT,
);
