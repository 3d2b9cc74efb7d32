/**
 * An installation for one test: started on a temporary folder with a clock that stands still, seeded
 * as `npm start` would, with a client of the staff and one of the demo customer's owner.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from '@jest/globals';
import {
  type Installation,
  type InstallationKind,
  newKey,
  operationEnd,
  seed,
  type Seeded,
  START,
} from '@bivouac/all';
import { Leftovers as OpenCharges } from '@bivouac/billing/api';
import { Leftovers as HeldOnNodes } from '@bivouac/containers/api';
import { ApiKeyUsed } from '@bivouac/events/accounts';
import type { Position, QueryContract } from '@bivouac/events/language';
import { isPublished } from '@bivouac/infra/bus';
import { createLogger, type Logger, ManualClock, systemPrincipal } from '@bivouac/infra/runtime';
import { OperationById } from '@bivouac/provisioning/api';
import { QuotaOf } from '@bivouac/quotas/api';
import { z } from 'zod';

import { Client, type Result } from './client.ts';
import { disposeKinds, kindWith } from './kinds.ts';

const OperationSchema = z.object({
  id: z.string(),
  status: z.string(),
  progress: z.number(),
  targetId: z.string(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type Ended = z.output<typeof OperationSchema>;

const ContainerSchema = z.object({
  id: z.string(),
  hostname: z.string(),
  lifecycle: z.string(),
  runningSince: z.string().nullable(),
  addresses: z.array(z.object({ address: z.string() })),
  holds: z.array(z.object({ id: z.string(), kind: z.string() })),
  observed: z.object({ state: z.string() }).nullable(),
});

export class Running {
  readonly installation: Installation;
  readonly kind: InstallationKind;
  readonly clock: ManualClock;
  readonly folder: string;
  readonly seeded: Seeded;
  readonly staff: Client;
  readonly owner: Client;
  /** The keys in clear, of the staff and of the owner. */
  readonly keys: { readonly staff: string; readonly owner: string };

  constructor(
    parts: Pick<Running, 'installation' | 'kind' | 'clock' | 'folder' | 'seeded' | 'keys'>,
  ) {
    this.installation = parts.installation;
    this.kind = parts.kind;
    this.clock = parts.clock;
    this.folder = parts.folder;
    this.seeded = parts.seeded;
    this.keys = parts.keys;
    this.staff = this.client(parts.keys.staff);
    this.owner = this.client(parts.keys.owner);
  }

  client(key: string | undefined, headers?: Readonly<Record<string, string>>): Client {
    const { yoga } = this.installation.gateway;
    return new Client((url, init) => yoga.fetch(url, init), key, undefined, headers);
  }

  /** The demo customer's order for plan 1000, with what is told changed. */
  order(
    input: Record<string, unknown> = {},
    key?: string,
    client: Client = this.owner,
  ): Promise<Result> {
    return client.mutate(
      'provisionContainer',
      {
        accountId: this.seeded.customer.tenantId,
        hostname: 'web1.example.com',
        plan: '1000',
        imageId: this.seeded.imageId,
        ...input,
      },
      key,
    );
  }

  /** How an accepted operation ended, read through the gateway once everything has come to rest. */
  async end(result: Result, client = this.staff): Promise<Ended> {
    const [ended] = await this.ends([result], client);
    if (ended === undefined) throw new Error('no answer');
    return ended;
  }

  /** Waits until all of these operations have ended and everything has come to rest: how each ended. */
  async ends(results: readonly Result[], client = this.staff): Promise<Ended[]> {
    const ids = results.map((result) => {
      if (result.operationId === undefined)
        throw new Error(`not accepted: ${JSON.stringify(result)}`);
      return result.operationId;
    });
    for (const id of ids) await operationEnd(this.installation, id);
    await this.installation.host.settled();
    const ended: Ended[] = [];
    for (const id of ids) {
      const { operation } = await client.read(
        z.object({ operation: OperationSchema }),
        `query ($id: ID!) { operation(id: $id) { id status progress targetId error { code message } } }`,
        { id },
      );
      ended.push(operation);
    }
    return ended;
  }

  /** Waits until an operation has asked for a step. */
  async whenStep(result: Result, step: string): Promise<void> {
    const { operationId } = result;
    if (operationId === undefined) throw new Error(`not accepted: ${JSON.stringify(result)}`);
    await this.#when(async () => {
      const operation = await this.query(OperationById, { operationId });
      return operation?.steps.some(({ name }) => name === step) === true;
    });
  }

  /** Waits until everything has come to rest, also what nodes have been told. */
  async quiet(): Promise<void> {
    await this.installation.host.settled();
    await this.#when(async () => {
      const { unansweredInstructions } = await this.query(HeldOnNodes, {});
      return unansweredInstructions === 0;
    });
    await this.installation.host.settled();
  }

  /** Looks now and whenever the read models have moved. */
  async #when(condition: () => Promise<boolean>): Promise<void> {
    let moved: () => void = () => undefined;
    const stop = this.installation.host.follower.onApplied(() => {
      moved();
    });
    try {
      for (;;) {
        const next = new Promise<void>((resolve) => {
          moved = resolve;
        });
        if (await condition()) return;
        await next;
      }
    } finally {
      stop();
    }
  }

  /** Orders a container and waits until it runs: its id. */
  async running(input: Record<string, unknown> = {}): Promise<string> {
    const ended = await this.end(await this.order(input));
    if (ended.status !== 'SUCCEEDED') throw new Error(`the order ended: ${JSON.stringify(ended)}`);
    return ended.targetId;
  }

  /** Whether there is such a container, whatever has become of it. */
  async knows(id: string, client = this.staff): Promise<boolean> {
    const { container } = await client.read(
      z.object({ container: z.object({ id: z.string() }).nullable() }),
      `query ($id: ID!) { container(id: $id) { id } }`,
      { id },
    );
    return container !== null;
  }

  async container(id: string, client = this.staff): Promise<z.output<typeof ContainerSchema>> {
    const { container } = await client.read(
      z.object({ container: ContainerSchema }),
      `query ($id: ID!) { container(id: $id) { id hostname lifecycle runningSince
        addresses { address } holds { id kind } observed { state } } }`,
      { id },
    );
    return container;
  }

  /** Counts what is held over all tenants; all zero where nothing is left over. */
  async held(): Promise<Record<string, number>> {
    const { leases, placements, rosterEntries, unansweredInstructions } = await this.query(
      HeldOnNodes,
      {},
    );
    const { openCharges } = await this.query(OpenCharges, {});
    const quota = await this.query(QuotaOf, { tenantId: this.seeded.customer.tenantId });
    const axes = (quota?.axes ?? []).filter((axis) => axis.used !== '0');
    return {
      leases,
      placements,
      rosterEntries,
      unansweredInstructions,
      openCharges,
      instances: await this.installation.nodes.instances(),
      ...Object.fromEntries(axes.map(({ axis, used }) => [`reserved ${axis}`, Number(used)])),
    };
  }

  /**
   * The last fact in the log, once everything has come to rest: the same before and after what does
   * nothing. How far reactions and the relay have come is recorded by and by and is no fact.
   */
  async lastFact(): Promise<string> {
    const { host, store } = this.installation;
    await host.settled();
    let after: Position | undefined;
    for (;;) {
      const page = await store.readAll({ direction: 'backwards', ...(after && { after }) });
      // That a key is in use is noted beside what it is used for, whatever comes of that.
      const fact = page.events.find(
        ({ stream, type }) => isPublished(stream) && type !== ApiKeyUsed.type,
      );
      if (fact !== undefined) return `${fact.position} ${fact.type}`;
      after = page.events.at(-1)?.position;
      if (page.end || after === undefined) return 'none';
    }
  }

  /** A question to a service itself, as the system. */
  async query<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    input: z.input<I>,
  ): Promise<z.output<R>> {
    const { tenantId, homeId } = this.installation.provider;
    const reply = await this.installation.host.query(contract, input, {
      principal: systemPrincipal('system:test', tenantId, homeId),
    });
    if (!reply.ok) throw new Error(`${contract.name}: ${reply.refusal.message}`);
    return reply.result;
  }

  /** A customer of their own, with an owner's key and a limit of so many containers. */
  async anotherCustomer(
    name: string,
    containers = 10,
  ): Promise<{ id: string; client: Client; key: string }> {
    const { staff } = this;
    const created = await staff.mutate('createCustomer', { name, email: `${name}@other.example` });
    const accountId = created.accountId ?? '';
    await this.installation.host.settled();
    const member = await staff.mutate('addMember', {
      accountId,
      email: `owner@${name}.example`,
      name: `Owner of ${name}`,
      role: 'OWNER',
    });
    await staff.mutate('setLimit', { accountId, limit: limitOf(containers), reason: 'a customer' });
    await this.installation.host.settled();
    const key = await staff.mutate('createApiKey', {
      accountId,
      memberId: member.memberId,
      label: 'e2e',
    });
    await this.installation.host.settled();
    return { id: accountId, client: this.client(key.key ?? ''), key: key.key ?? '' };
  }

  /** Throws the read models away, of an installation that is stopped. */
  async forgetViews(): Promise<void> {
    for (const { folder } of await this.kind.left(this.folder).processes())
      await rm(join(folder, 'views'), { recursive: true });
  }

  stop(): Promise<void> {
    return this.installation.stop(10_000);
  }
}

/** What {@link Running.held} counts where nothing is held. */
export const nothing = {
  leases: 0,
  placements: 0,
  rosterEntries: 0,
  unansweredInstructions: 0,
  openCharges: 0,
  instances: 0,
};

/** Room for so many containers of any plan. */
export function limitOf(containers: number) {
  return {
    containers,
    cpuMillis: 10_000_000,
    memoryBytes: (2n ** 50n).toString(),
    diskBytes: (2n ** 50n).toString(),
    addresses: 10_000,
  };
}

// Hooks run in the order in which they are registered: this one comes before those of the test file.
afterAll(async () => {
  await closeAll();
  await disposeKinds();
});

const opened: Running[] = [];
const folders: string[] = [];

/** Starts an installation. {@link closeAll} ends it. */
export async function open(
  options: {
    /** What it runs on, where that is not what all tests run on. */
    readonly kind?: InstallationKind;
    readonly nodeUrl?: string;
    /** To go on with what is there. */
    readonly folder?: string;
    readonly now?: number;
    /** `false`: makes nothing, so that the log stays as it is; there are no clients then. */
    readonly newKeys?: boolean;
    /** Where its log goes; nowhere unless told. */
    readonly logger?: Logger;
    /** Other settings than these, as the environment has them. */
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
): Promise<Running> {
  const folder = options.folder ?? (await newFolder());
  const clock = new ManualClock(options.now ?? START);
  const kind =
    options.kind ?? kindWith({ NODE_URL: options.nodeUrl ?? 'fake:', ...options.settings });
  const installation = await kind.start({
    folder,
    clock,
    logger: options.logger ?? createLogger('silent', process.stderr),
    providerName: 'Test Provider',
    onFailure: (error) => {
      // The next call fails and the test with it; this says why.
      console.error(error);
    },
  });
  const { host, provider } = installation;
  const seeded = await seed(host, provider);
  // Nothing of it by chance: ids follow from keys, and a fake node's faults from ids and its seed.
  const attempt = `${clock.now()} ${opened.length}`;
  const keyOf = (tenant: Seeded['customer'], memberId: string, label: string): Promise<string> =>
    options.newKeys === false
      ? Promise.resolve('none')
      : newKey(host, tenant, memberId, label, `${label} ${attempt}`);
  const keys = {
    owner: await keyOf(seeded.customer, seeded.ownerMemberId, 'owner'),
    staff: await keyOf(provider, seeded.staffMemberId, 'staff'),
  };
  await host.settled();
  const running = new Running({ installation, kind, clock, folder, seeded, keys });
  opened.push(running);
  return running;
}

/** A temporary folder, removed by {@link closeAll}. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-e2e-'));
  folders.push(folder);
  return folder;
}

/** Ends every installation of this test file and removes its folders. */
export async function closeAll(): Promise<void> {
  for (const running of opened.splice(0)) await running.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}
