/**
 * Plays a month: customers come in March and order, April is lived through on nodes that fail and
 * an installation that is stopped and started again, both months are invoiced, and then everybody
 * moves out.
 */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { RuntimeError } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { Draws } from '../../draws.ts';
import type { Tell } from '../scenario.ts';
import { type AskedBooks, askBooks } from './asked.ts';
import { containersOf, customerTurn } from './customers.ts';
import { issuerClient, issuerTurn } from './issuers.ts';
import { allHabits, Payer } from './money.ts';
import { type AskedPeople, askPeople } from './asked-people.ts';
import { askPackages, offerPackages, repositoryOf } from './packages.ts';
import { peopleTurn } from './people-turn.ts';
import type { Running } from './running.ts';
import { MONTHS, type MonthSize, nodeUrlsOf, RUNS, turnsOf } from './settings.ts';
import { Tally } from './tally.ts';
import { eur, makeWorld, type World } from './world.ts';

const LeftSchema = z.object({
  operation: z.object({
    targetId: z.string(),
    leftovers: z.array(z.object({ ask: z.string() })),
  }),
});

export class Month {
  readonly #seed: number;
  readonly #size: MonthSize;
  readonly #running: Running;
  readonly #tell: Tell;
  readonly #urls: readonly string[];
  readonly tally: Tally;
  /** What each issuer's books said when both months were closed. */
  readonly books: AskedBooks[] = [];
  /** What the gateway then shows of people, and lets them do. */
  people: AskedPeople | undefined;
  /** What it shows each container to have installed. */
  packages: ReadonlyMap<string, readonly string[]> = new Map();
  #world: World | undefined;
  #payers: ReadonlyMap<string, Payer> = new Map();

  constructor(seed: number, size: MonthSize, running: Running, tell: Tell) {
    this.#seed = seed;
    this.#size = size;
    this.#running = running;
    this.#tell = tell;
    this.#urls = nodeUrlsOf(seed, size);
    this.tally = new Tally(running);
  }

  get world(): World {
    if (this.#world === undefined) throw new RuntimeError('defect', 'there is no world yet');
    return this.#world;
  }

  /** From the empty installation to the invoices of both months. It is stopped afterwards. */
  async live(): Promise<void> {
    await this.#start(0);
    this.#world = await makeWorld(this.#running, this.#seed, this.#size);
    const { customers, resellers } = this.world;
    this.#payers = new Map([
      // Each habit once, whatever is drawn for the others.
      ...customers.map(
        (tenant, i) => [tenant.id, new Payer(this.#seed, tenant, allHabits[i])] as const,
      ),
      // A reseller's hold reaches everybody below it: one is enough.
      ...resellers.map(
        (tenant, i) =>
          [tenant.id, new Payer(this.#seed, tenant, i === 0 ? 'late' : 'prompt')] as const,
      ),
    ]);
    this.#say(`${resellers.length} resellers and ${customers.length} customers are there.`);
    const turns = turnsOf(this.#size);
    const restarts = new Map(
      [0.2, 0.45, 0.6, 0.8].map((part, i) => [Math.floor(part * turns.length), i + 1]),
    );
    let invoiced = false;
    for (const [turn, instant] of turns.entries()) {
      if (!invoiced && instant > Date.parse(RUNS[0])) {
        await this.#endOf(0);
        invoiced = true;
      }
      await this.#running.moveTo(instant);
      await this.#turn(turn, instant, restarts.get(turn));
    }
    await this.#endOf(1);
    await this.#mend();
    await this.#askBooks();
    this.packages = await askPackages(this.#running.as(this.world.staffKey));
    this.people = await askPeople(this.world, (key) => this.#running.as(key), this.#running.now);
    await this.#running.stop();
  }

  /** Started once more: everything is terminated. It is stopped afterwards. */
  async moveOut(): Promise<void> {
    await this.#start(this.#urls.length - 1);
    const { customers, staffKey } = this.world;
    const staff = this.#running.as(staffKey);
    for (const { id } of customers) {
      for (const { id: containerId } of await containersOf(staff, id)) {
        const input = { containerId, reason: 'moved out' };
        await this.tally.send(staff, 'purgeContainer', input, `purge ${containerId}`);
      }
    }
    await this.#running.rest();
    await this.#mend();
    await this.#running.stop();
    this.#say('Everybody has moved out.');
  }

  /** Everybody whose turn it is acts at once; then it may be stopped in the middle of it all. */
  async #turn(turn: number, instant: number, restart: number | undefined): Promise<void> {
    const { customers, resellers, imageId, staffKey, people } = this.world;
    const running = this.#running;
    const as = (key: string) => running.as(key);
    const at = { seed: this.#seed, turn, imageId };
    const draws = new Draws(this.#seed, `turn ${turn}`);
    const eager = customers.filter(() => draws.chance(this.#size.eagerness));
    const watched = customers.filter(() => draws.chance(this.#size.care));
    const changing = [...resellers, ...customers].filter(() => draws.chance(this.#size.change));
    const staff = as(staffKey);
    // Prices are told before anybody orders: whoever orders at that very moment may get either.
    for (const tenant of watched) {
      const issuer = issuerClient(tenant, this.world, as);
      await issuerTurn(at, tenant, { issuer, staff }, this.tally);
    }
    if (turn === 3) await this.#newPrices();
    if (turn === Math.floor(turnsOf(this.#size).length / 2)) await this.#newPackages();
    for (const tenant of changing) {
      await peopleTurn(at, tenant, people, { as, staff }, this.tally);
    }
    await running.rest();
    const wishes = await Promise.all(
      eager.map(async (tenant) => {
        // Whoever of its people may order and operate does it.
        const keys = people.keysWith(tenant.id, 'containers.order', 'containers.operate');
        const key = new Draws(this.#seed, `who of ${tenant.name} ${turn}`).pick(keys) ?? tenant.key;
        return { tenant, key, next: await customerTurn(at, tenant, as(key), this.tally) };
      }),
    );
    if (instant > Date.parse(RUNS[0])) await this.#pay(new Date(instant).getUTCDate());
    if (restart !== undefined) {
      await running.stop();
      await this.#start(restart);
      this.#say('Stopped in the middle of it, and started again.');
    }
    await running.rest();
    await Promise.all(
      wishes.map(async ({ key, next }) => {
        await next?.((...sent) => this.tally.send(as(key), ...sent));
      }),
    );
    await running.rest();
  }

  async #pay(day: number): Promise<void> {
    const { customers, resellers } = this.world;
    for (const tenant of [...resellers, ...customers]) {
      const issuer = issuerClient(tenant, this.world, (key) => this.#running.as(key));
      await this.#payers.get(tenant.id)?.turn(day, issuer, this.tally);
    }
  }

  /** The catalog's new price of the large plan, also for who has it already, from April on. */
  async #newPrices(): Promise<void> {
    const staff = this.#running.as(this.world.staffKey);
    const { plan } = await staff.send(
      z.object({ plan: z.object({ id: z.string() }) }),
      `{ plan(code: "2000") { id } }`,
    );
    const limits = {
      cpuMillis: 2000,
      memoryBytes: String(2n ** 31n),
      diskBytes: String(2n ** 33n),
    };
    const terms = {
      ...{ planId: plan.id, name: '2000 plus', includedAddresses: 2 },
      limits: { ...limits, processes: 480, cpuUnits: 2000 },
      ...{ monthly: eur(4321), setup: eur(999), extraAddressMonthly: eur(175) },
      ...{ effectiveFrom: '2026-03-28T12:00:00.000Z', forExisting: true },
    };
    await this.tally.send(staff, 'replacePlanTerms', terms, 'new price');
  }

  /** The repository offers newer packages. */
  async #newPackages(): Promise<void> {
    const staff = this.#running.as(this.world.staffKey);
    await offerPackages(this.#running.folder, '2');
    const repositoryId = await repositoryOf(staff);
    await this.tally.send(staff, 'syncRepository', { repositoryId }, 'new packages');
  }

  /** A month is over: every issuer's accounts are closed for it. */
  async #endOf(n: 0 | 1): Promise<void> {
    this.#running.periodEnds();
    await this.#running.moveTo(Date.parse(RUNS[n]));
    const month = MONTHS[n];
    const { resellers, staffKey, people } = this.world;
    for (const { id: issuerId, key: owner } of [{ id: PROVIDER_ID, key: staffKey }, ...resellers]) {
      // A reseller closes its months itself: its owner does, then who was taken on for the money.
      const key = people.keysWith(issuerId, 'billing.manage').at(n === 0 ? 0 : -1) ?? owner;
      const input = { issuerId, month };
      await this.tally.send(this.#running.as(key), 'runMonth', input, `run ${month} ${issuerId}`);
    }
    await this.#running.rest();
    this.#say(`${month} is closed and invoiced.`);
  }

  /**
   * On sound nodes the staff let go on what waits for them; what then still waits cannot come about any
   * more, its container being gone or held: they give it up, and see to what it leaves.
   */
  async #mend(): Promise<void> {
    const running = this.#running;
    await running.stop();
    await this.#start(this.#urls.length - 1);
    await running.rest();
    for (const act of ['retryOperation', 'retryOperation', 'releaseOperation'] as const) {
      const waiting = running.waiting;
      await this.#act(act, waiting);
      if (act === 'releaseOperation') await this.#seeTo(waiting);
      // The reconciler has had its time, too; what it does only when told to, it is told.
      await running.moveTo(running.now + 20 * 60_000);
      const staff = running.as(this.world.staffKey);
      await this.tally.send(staff, 'reconcile', {}, `reconcile ${running.now}`);
      await running.rest();
    }
    // Longer than any reservation may stand unclaimed.
    await running.moveTo(running.now + 2 * 3_600_000);
  }

  /** The provider's of the staff, a reseller's with its own key. */
  async #askBooks(): Promise<void> {
    const { resellers, staffKey } = this.world;
    const provider = { id: PROVIDER_ID, name: 'Provider', key: staffKey };
    for (const issuer of [provider, ...resellers]) {
      for (const month of MONTHS) {
        this.books.push(await askBooks(this.#running.as(issuer.key), issuer, month));
      }
    }
  }

  async #act(act: string, waiting: readonly string[]): Promise<void> {
    const running = this.#running;
    const staff = running.as(this.world.staffKey);
    for (const operationId of waiting) {
      const input = { operationId, reason: 'the nodes are sound again' };
      await this.tally.send(staff, act, input, `${act} ${operationId} ${running.now}`);
    }
    await running.rest();
  }

  /** Of what a release leaves, what only staff can end: containers that are to go. */
  async #seeTo(released: readonly string[]): Promise<void> {
    const staff = this.#running.as(this.world.staffKey);
    for (const id of released) {
      const { operation } = await staff.send(
        LeftSchema,
        'query ($id: ID!) { operation(id: $id) { targetId leftovers { ask } } }',
        { id },
      );
      if (!operation.leftovers.some(({ ask }) => ask === 'containers.destroy')) continue;
      const input = { containerId: operation.targetId, reason: 'given up' };
      await this.tally.send(staff, 'terminateContainer', input, `given up ${id}`);
    }
    await this.#running.rest();
  }

  #start(n: number): Promise<void> {
    return this.#running.start(this.#urls[n] ?? this.#urls[0] ?? 'fake:');
  }

  #say(text: string): void {
    this.#tell(new Date(this.#running.now).toISOString(), text);
  }
}
