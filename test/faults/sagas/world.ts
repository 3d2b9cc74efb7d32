/** A world in which orders can be given: made once as an installation would be, then forked. */
import { join } from 'node:path';

import { seed, type Seeded } from '@bivouac/all';
import { Standing } from '@bivouac/all/checks/standing';
import type { CommandContract } from '@bivouac/events/language';
import { RegisterRepository, SyncRepository } from '@bivouac/packages/api';
import { type OperationOrder, StartOperation } from '@bivouac/provisioning/api';
import type { z } from 'zod';

import { writeRepository } from '../../../services/all/src/demo/repository.ts';
import { skelPackages } from '../../../services/all/src/seed/skel.ts';
import { Disk } from './disk.ts';
import type { Order, Ready, Scenario } from './kinds.ts';
import { type Running, startProcess } from './process.ts';
import { quiet, rest } from './rest.ts';
import { provider, staff } from './staff.ts';

export const START = '2026-04-10T09:00:00.000Z';

export class World {
  readonly disk: Disk;
  readonly running: Running;
  readonly seeded: Seeded;
  #orders = 0;

  constructor(disk: Disk, running: Running, seeded: Seeded) {
    this.disk = disk;
    this.running = running;
    this.seeded = seeded;
  }

  /** An order of the customer. */
  customers(order: OperationOrder): Order {
    return { order, ...this.seeded.customer };
  }

  provision(hostname: string, extraAddresses = 0): Order {
    const { customer, imageId } = this.seeded;
    return this.customers({
      ...{ kind: 'provision', tenantId: customer.tenantId, hostname, planCode: '1000', imageId },
      ...{ family: 'ipv4', placement: 'spread', extraAddresses },
    });
  }

  async command<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    idempotencyKey: string,
  ): Promise<z.output<R>> {
    const { host } = this.running;
    const reply = await host.command(contract, input, { principal: staff, idempotencyKey });
    if (!reply.ok) throw new Error(`${idempotencyKey}: ${reply.refusal.message}`);
    return reply.result;
  }

  /** Has an order done, to its end. */
  async does(order: OperationOrder): Promise<void> {
    this.#orders += 1;
    await this.command(StartOperation, this.customers(order), `ready ${this.#orders}`);
    await this.#rest(order.kind);
  }

  /** A container that runs. */
  async container(): Promise<{ readonly containerId: string }> {
    const { order, ...of } = this.provision('web1.example.com');
    const { target } = await this.command(StartOperation, { order, ...of }, 'a container');
    await this.#rest('provision');
    return { containerId: target.id };
  }

  /** A repository that was read: it has what images have, one of it newer, and something with what it needs. */
  async repository(): Promise<void> {
    const el9 = { release: '1.el9' };
    const offers = skelPackages.map((one) =>
      one.name === 'vsftpd' ? { ...one, version: `${one.version}.1` } : one,
    );
    const baseUrl = await writeRepository(join(this.disk.folder, 'repository'), [
      ...offers,
      { name: 'vim', version: '9.1', ...el9, requires: ['vim-data'] },
      { name: 'vim-data', version: '9.1', ...el9, arch: 'noarch' },
    ]);
    const of = { name: 'el9', baseUrl, arch: 'x86_64' };
    const { repositoryId } = await this.command(RegisterRepository, of, 'a repository');
    await this.command(SyncRepository, { repositoryId }, 'what it offers');
    await this.#rest('the repository');
  }

  async moveTo(instant: string): Promise<void> {
    this.disk.clock.moveTo(instant);
    await this.#rest('the time');
  }

  async holdOf(containerId: string): Promise<string> {
    const [holdId] = (await this.#standing()).containers.get(containerId)?.holds.keys() ?? [];
    if (holdId === undefined) throw new Error(`nothing holds ${containerId}`);
    return holdId;
  }

  async leasesOf(containerId: string): Promise<string[]> {
    const { containers } = await this.#standing();
    return [...(containers.get(containerId)?.addresses.keys() ?? [])];
  }

  async #standing(): Promise<Standing> {
    return new Standing(await this.disk.history());
  }

  async #rest(what: string): Promise<void> {
    if (!(await rest(this.disk, this.running))) throw new Error(`${what} does not come to rest`);
    for (const { kind, outcome } of (await this.#standing()).operations.values()) {
      if (outcome !== 'succeeded') throw new Error(`${kind} ${outcome}, which others need`);
    }
  }
}

/** What every scenario begins with: a catalog, a published image, a node, a customer. */
export class Worlds {
  #seeded: Promise<{ readonly disk: Disk; readonly seeded: Seeded }> | undefined;
  readonly #disks: Disk[] = [];

  /** The world of a scenario, stopped in an orderly way. */
  async ready(scenario: Scenario): Promise<Ready> {
    this.#seeded ??= this.#seed();
    const first = await this.#seeded;
    const disk = await first.disk.fork();
    this.#disks.push(disk);
    return readyOn(disk, first.seeded, scenario);
  }

  async dispose(): Promise<void> {
    for (const disk of this.#disks.splice(0)) await disk.dispose();
  }

  async #seed(): Promise<{ readonly disk: Disk; readonly seeded: Seeded }> {
    const disk = await Disk.empty(START);
    this.#disks.push(disk);
    return { disk, seeded: await seedOn(disk) };
  }
}

/** Makes what every scenario begins with on an empty disk, and stops in an orderly way. */
export async function seedOn(disk: Disk): Promise<Seeded> {
  const { running } = await startProcess(disk);
  if (running === undefined) throw new Error('nobody was to die');
  const seeded = await seed({ ...running.host, settled: () => quiet(disk) }, provider);
  await quiet(disk);
  await running.stop();
  return seeded;
}

/** Brings about what a scenario's order needs, and stops in an orderly way. */
export async function readyOn(disk: Disk, seeded: Seeded, scenario: Scenario): Promise<Ready> {
  const { running } = await startProcess(disk);
  if (running === undefined) throw new Error('nobody was to die');
  const order = await scenario.ready(new World(disk, running, seeded));
  await running.stop();
  const recorded = (await disk.history()).length;
  return { scenario, disk, seeded, recorded, until: scenario.until, ...order };
}
