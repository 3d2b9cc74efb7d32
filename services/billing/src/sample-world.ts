/**
 * Billing on the real host in memory, for tests: other contexts' events are written as those contexts
 * would write them, and asks as operations ask them.
 */
import { PROVIDER_ID, TenantCreated } from '@bivouac/events/accounts';
import {
  AddressesAttached,
  AddressesDetached,
  ContainerDeleted,
  ContainerResized,
  ContainerRestored,
  ContainerRunning,
  ContainerSoftDeleted,
  OrderUndone,
} from '@bivouac/events/containers';
import {
  type CommandContract,
  type Decided,
  eventRegistry,
  type Principal,
  type QueryContract,
} from '@bivouac/events/language';
import {
  answerStream,
  type AskInput,
  type AskName,
  operationProtocolEvents,
  type PlanTerms,
  StepAsked,
} from '@bivouac/events/operations';
import { deriveId, instantOf, plusSeconds, uuidOf } from '@bivouac/events/values';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { embeddedBus } from '@bivouac/infra/bus';
import { memoryEventStore, type EventStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import { createLogger, type EdgePorts, ManualClock } from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

import { type Host, startHost } from '../../../infra/runtime/host.ts';
import { DefinePlan } from './api/index.ts';
import { planIdOf } from './domain/plan.ts';
import { address, containerId, sampleTerms } from './domain/sample-charges.ts';
import { billingService } from './service.ts';

export const staff: Principal = {
  id: deriveId('apiKey', 'staff'),
  kind: 'key',
  tenantId: PROVIDER_ID,
  homeId: PROVIDER_ID,
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};

export function customerOf(tenantId: string): Principal {
  return {
    id: deriveId('apiKey', tenantId),
    kind: 'key',
    tenantId,
    homeId: tenantId,
    reach: new Set([tenantId]),
    rights: 'all',
    audience: 'customer',
  };
}

const registry = eventRegistry([...billingService.events, ...operationProtocolEvents]);

export class SampleWorld {
  readonly clock = new ManualClock('2026-04-01T00:00:00.000Z');
  readonly store: EventStore;
  readonly ports: EdgePorts;
  #host: Host | undefined;
  #asked = 0;
  failure: unknown;

  constructor(wrap: (store: EventStore) => EventStore = (store) => store) {
    this.store = wrap(memoryEventStore());
    this.ports = {
      keys: memoryKeys(),
      secrets: {
        put: () => Promise.resolve(),
        get: () => Promise.resolve(undefined),
        destroy: () => Promise.resolve(),
        close: () => Promise.resolve(),
      },
      blobs: memoryBlobs(),
      random: (bytes) => new Uint8Array(bytes),
    };
  }

  get host(): Host {
    if (this.#host === undefined) throw new Error('the world was not started');
    return this.#host;
  }

  /** Starts a process on the log as it is; its read models begin empty. */
  async start(): Promise<this> {
    this.#host = await startHost({
      services: [billingService],
      store: this.store,
      bus: embeddedBus({ store: this.store, clock: this.clock }),
      views: () => memoryViews(),
      ports: this.ports,
      clock: this.clock,
      logger: createLogger('silent'),
      providerId: () => PROVIDER_ID,
      onFailure: (error) => {
        this.failure = error;
      },
    });
    return this;
  }

  async stop(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    await host?.stop(1000);
  }

  async definePlan(
    code: string,
    more: Partial<z.input<typeof DefinePlan.input>> = {},
  ): Promise<PlanTerms> {
    const { limits, includedAddresses, monthly, setup, extraAddressMonthly } = sampleTerms();
    const reply = await this.host.command(
      DefinePlan,
      {
        ...{ code, name: `VPS ${code}`, limits, includedAddresses },
        ...{ monthly, setup, extraAddressMonthly, ...more },
      },
      { principal: staff, idempotencyKey: `plan-${code}` },
    );
    if (!reply.ok) throw new Error(reply.refusal.code);
    const planId = planIdOf(code);
    return sampleTerms({
      ...{ planId, code, source: { stream: `plan-${planId}`, revision: '0' } },
      ...(more.monthly === undefined ? {} : { monthly: more.monthly }),
      ...(more.setup === undefined ? {} : { setup: more.setup }),
    });
  }

  /** A customer directly under the provider, or under a reseller that is its home. */
  async createTenant(name: string, reseller?: string): Promise<string> {
    const tenantId = deriveId('tenant', name);
    const homeId = reseller ?? tenantId;
    const body = {
      ...{ tenantId, homeId, name, contact: null },
      kind: 'customer' as const,
      parentId: reseller ?? PROVIDER_ID,
    };
    await this.record(`tree-${homeId}`, tenantId, homeId, TenantCreated(body));
    return tenantId;
  }

  async runs(
    tenantId: string,
    container: string,
    plan: PlanTerms,
    homeId = tenantId,
  ): Promise<void> {
    const body = {
      ...this.#subject(tenantId, container),
      hostname: `${container}.example.com`,
      plan,
      image: {
        imageId: deriveId('image', 'skel'),
        name: 'skel',
        digest: '1'.repeat(64),
        source: 'builtin:skel',
        inventory: '2'.repeat(64),
        at: { stream: `image-${deriveId('image', 'skel')}`, revision: '2' },
      },
      addresses: [leased(`${container}-1`)],
      reservationId: deriveId('reservation', container),
      runningAt: instantOf(this.clock.now()),
    };
    await this.#happened(tenantId, container, ContainerRunning(body), homeId);
  }

  async attaches(
    tenantId: string,
    container: string,
    name: string,
    plan: PlanTerms,
  ): Promise<void> {
    const attachedAt = instantOf(this.clock.now());
    const body = {
      ...this.#subject(tenantId, container),
      addresses: [leased(name)],
      plan,
      reservationIds: [deriveId('reservation', container, name)],
      attachedAt,
    };
    await this.#happened(tenantId, container, AddressesAttached(body));
  }

  async detaches(tenantId: string, container: string, name: string): Promise<void> {
    const detachedAt = instantOf(this.clock.now());
    const body = {
      ...this.#subject(tenantId, container),
      leaseIds: [address(name).leaseId],
      detachedAt,
    };
    await this.#happened(tenantId, container, AddressesDetached(body));
  }

  async resizes(
    tenantId: string,
    container: string,
    plans: { readonly from: PlanTerms; readonly to: PlanTerms },
    homeId = tenantId,
  ): Promise<void> {
    const resizedAt = instantOf(this.clock.now());
    const body = {
      ...this.#subject(tenantId, container),
      ...{ plan: plans.to, previousPlan: plans.from, resizedAt },
      reservationId: deriveId('reservation', container, resizedAt),
      previousReservationId: deriveId('reservation', container),
    };
    await this.#happened(tenantId, container, ContainerResized(body), homeId);
  }

  async softDeletes(tenantId: string, container: string, homeId = tenantId): Promise<void> {
    const deletedAt = instantOf(this.clock.now());
    const restoreUntil = plusSeconds(deletedAt, 7 * 86_400);
    const body = {
      ...this.#subject(tenantId, container),
      reason: 'order',
      deletedAt,
      restoreUntil,
    };
    await this.#happened(tenantId, container, ContainerSoftDeleted(body), homeId);
  }

  async restores(
    tenantId: string,
    container: string,
    plan: PlanTerms,
    homeId = tenantId,
  ): Promise<void> {
    const restoredAt = instantOf(this.clock.now());
    const ask = { operationId: deriveId('operation', container), step: 'restore', attempt: 1 };
    const body = {
      ...this.#subject(tenantId, container),
      ...{ plan, hostname: `${container}.example.com`, addresses: [leased(`${container}-1`)] },
      ...{ restoredAt, ask },
    };
    await this.#happened(tenantId, container, ContainerRestored(body), homeId);
  }

  /** Sends a command as a person would; throws what is refused. */
  async command<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    principal: Principal = staff,
    idempotencyKey = `key-${++this.#asked}`,
  ): Promise<z.output<R>> {
    await this.host.settled();
    const reply = await this.host.command(contract, input, { principal, idempotencyKey });
    if (!reply.ok) throw new Error(reply.refusal.code);
    await this.host.settled();
    return reply.result;
  }

  /** Moves the clock and lets everything that is due by then be done. */
  async until(instant: string): Promise<void> {
    await this.host.settled();
    this.clock.moveTo(instant);
    await this.host.settled();
  }

  async deletes(tenantId: string, container: string, ran = true, homeId = tenantId): Promise<void> {
    const endedAt = instantOf(this.clock.now());
    const body = { ...this.#subject(tenantId, container), endedAt, ran };
    await this.#happened(tenantId, container, ContainerDeleted(body), homeId);
  }

  /** Its deletion was the undoing of its order. */
  async undoes(tenantId: string, container: string, homeId = tenantId): Promise<void> {
    const undoneAt = instantOf(this.clock.now());
    const body = { ...this.#subject(tenantId, container), undoneAt };
    await this.#happened(tenantId, container, OrderUndone(body), homeId);
  }

  /** Asks as an operation would; answers nothing yet. */
  async asks<N extends AskName>(
    ask: N,
    tenantId: string,
    input: AskInput<N>,
    homeId = tenantId,
    seconds = 600,
  ): Promise<() => Promise<Record<string, unknown> | undefined>> {
    const operationId = deriveId('operation', String(++this.#asked));
    const ref = { operationId, step: 'ask', attempt: 1 };
    const notAfter = plusSeconds(instantOf(this.clock.now()), seconds);
    const asked = StepAsked({ ref, ask, tenantId, input: { ...input }, notAfter });
    await this.record(`operation-${operationId}`, tenantId, homeId, asked);
    return async () => {
      const page = await this.store.readStream(answerStream(ref), { limit: 1 });
      const [event] = page.exists ? page.events : [];
      return event === undefined ? undefined : registry.decode(event)?.data;
    };
  }

  /** Asks, lets everything settle, answers the answer. */
  async answer<N extends AskName>(ask: N, tenantId: string, input: AskInput<N>, homeId = tenantId) {
    const read = await this.asks(ask, tenantId, input, homeId);
    await this.host.settled();
    return read();
  }

  async query<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    input: z.input<I>,
    principal: Principal = staff,
  ): Promise<z.output<R>> {
    await this.host.settled();
    const reply = await this.host.query(contract, input, { principal });
    if (!reply.ok) throw new Error(reply.refusal.code);
    return reply.result;
  }

  /** A stream's events as they were written. */
  async eventsOf(stream: string) {
    const page = await this.store.readStream(stream, { limit: 1000 });
    return page.exists ? page.events.flatMap((event) => registry.decode(event) ?? []) : [];
  }

  /** Appends an event at its stream's end, as its owner would. */
  async record(stream: string, tenantId: string, homeId: string, event: Decided): Promise<void> {
    const page = await this.store.readStream(stream, { limit: 1000 });
    const revision = page.exists ? BigInt(page.events.length - 1) : undefined;
    const commandkey = uuidOf('sample', stream, String(revision ?? ''));
    await this.store.append(stream, revision ?? 'no-stream', [
      {
        id: uuidOf(commandkey, '0'),
        type: event.type,
        ...registry.encode(event),
        time: instantOf(this.clock.now()),
        tenantid: tenantId,
        homeid: homeId,
        actorid: 'system:test',
        correlationid: commandkey,
        causationid: commandkey,
        commandkey,
        inputhash: '',
      },
    ]);
  }

  #subject(tenantId: string, container: string) {
    return { containerId: containerId(container), tenantId };
  }

  async #happened(tenantId: string, container: string, event: Decided, homeId = tenantId) {
    await this.record(`container-${containerId(container)}`, tenantId, homeId, event);
  }
}

function leased(name: string) {
  return {
    leaseId: address(name).leaseId,
    rangeId: deriveId('range', 'pool'),
    address: '192.0.2.10',
    family: 'ipv4' as const,
  };
}

/** A store's own members, whatever `this` they are called with. */
export function bound(store: EventStore): EventStore {
  return new Proxy(store, {
    ownKeys: () => ['readStream', 'readAll', 'readHome', 'subscribe', 'head', 'close', 'append'],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
