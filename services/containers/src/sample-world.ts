/**
 * The containers context on the real host in memory, for tests: asks come as operations write them,
 * nodes answer through the real endpoint.
 */
import { createHash } from 'node:crypto';

import { PROVIDER_ID, TenantHoldLifted, TenantHoldPlaced } from '@bivouac/events/accounts';
import { InstructionIssued, StrayDestructionOrdered } from '@bivouac/events/containers';
import {
  type CommandContract,
  type Decided,
  eventRegistry,
  type Principal,
  type QueryContract,
  type Recorded,
} from '@bivouac/events/language';
import type { AgentMessage, EndpointMessage, Instruction } from '@bivouac/events/node';
import {
  answerStream,
  type AskInput,
  type AskName,
  operationProtocolEvents,
  StepAsked,
} from '@bivouac/events/operations';
import { instantOf, plusSeconds, uuidOf } from '@bivouac/events/values';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { embeddedBus } from '@bivouac/infra/bus';
import { type EventStore, memoryEventStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import {
  createLogger,
  type EdgePorts,
  type Host,
  ManualClock,
  on,
  projection,
  startHost,
  systemClock,
} from '@bivouac/infra/runtime';
import { memorySecrets } from '@bivouac/infra/secrets';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

import {
  EnrolNode,
  OpenNodeEnrolment,
  PublishImage,
  RegisterImage,
  RegisterNode,
  RegisterRange,
  TestImage,
} from './api/index.ts';
import { id, start } from './given.ts';
import { type NodeConnection, type NodeEndpoint, nodeEndpoint } from './node-endpoint.ts';
import { containersService } from './service.ts';

const as = (nodeId: string): Principal => ({ ...staff, id: `node:${nodeId}`, kind: 'node' });

export const staff: Principal = {
  id: id('apiKey', 'staff'),
  kind: 'key',
  tenantId: PROVIDER_ID,
  homeId: PROVIDER_ID,
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};

export function customerOf(name: string): Principal {
  const tenantId = id('tenant', name);
  return {
    id: id('apiKey', name),
    kind: 'key',
    tenantId,
    homeId: tenantId,
    reach: new Set([tenantId]),
    rights: 'all',
    audience: 'customer',
  };
}

/** How a node takes an instruction. */
export type Manner = (instruction: Instruction) => 'done' | 'failed' | 'silent';

export interface Answered {
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly result?: Readonly<Record<string, unknown>>;
  readonly refusal?: { readonly code: string; readonly details?: Record<string, unknown> };
}

const registry = eventRegistry([...containersService.events, ...operationProtocolEvents]);
const silentLog = (): void => undefined;
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

export class SampleWorld {
  readonly clock = new ManualClock(start);
  readonly store: EventStore;
  readonly ports: EdgePorts;
  /** Changes how every node answers from now on. */
  manner: Manner = () => 'done';
  failure: unknown;
  #host: Host | undefined;
  #endpoint: NodeEndpoint | undefined;
  readonly #seed: number | undefined;
  /** The clock goes on by itself while things settle. */
  readonly #moving: boolean;
  readonly #connections = new Map<string, NodeConnection>();
  readonly #listeners = new Set<(nodeId: string, position: string) => void>();
  #count = 0;

  constructor(
    options: { readonly wrap?: (store: EventStore) => EventStore; readonly seed?: number } = {},
  ) {
    const store = memoryEventStore();
    this.#moving = options.wrap !== undefined;
    this.store = options.wrap?.(store) ?? store;
    this.#seed = options.seed;
    this.ports = {
      keys: memoryKeys(),
      secrets: memorySecrets(),
      blobs: memoryBlobs(),
      random: (bytes) => new Uint8Array(bytes),
    };
  }

  get host(): Host {
    if (this.#host === undefined) throw new Error('the world was not started');
    return this.#host;
  }

  get endpoint(): NodeEndpoint {
    if (this.#endpoint === undefined) throw new Error('the world was not started');
    return this.#endpoint;
  }

  async start(): Promise<this> {
    const heard = projection({
      name: 'test.heard',
      tables: [],
      on: [
        on(InstructionIssued, (event) => {
          for (const listener of this.#listeners) listener(event.data.nodeId, event.position);
        }),
        on(StrayDestructionOrdered, (event) => {
          for (const listener of this.#listeners) listener(event.data.nodeId, event.position);
        }),
      ],
    });
    const seed = this.#seed === undefined ? {} : { seed: this.#seed };
    this.#host = await startHost({
      services: [{ ...containersService, projections: [...containersService.projections, heard] }],
      store: this.store,
      bus: embeddedBus({ store: this.store, clock: this.clock, ...seed }),
      views: () => memoryViews(),
      ports: this.ports,
      clock: this.clock,
      logger: createLogger('silent'),
      providerId: () => PROVIDER_ID,
      onFailure: (error) => {
        this.failure = error;
      },
    });
    this.#endpoint = nodeEndpoint({
      command: (nodeId, contract, input, idempotencyKey) =>
        this.host.command(contract, input, { principal: as(nodeId), idempotencyKey }),
      query: (nodeId, contract, input, atLeast) =>
        this.host.query(contract, input, { principal: as(nodeId), atLeast }),
      onNewInstruction: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      clock: systemClock,
      newId: () => uuidOf('report', String(++this.#count)),
      log: silentLog,
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.#endpoint?.close();
    await this.#host?.stop(1000);
    if (this.failure !== undefined) throw new Error('the host has failed', { cause: this.failure });
  }

  /** Lets everything end that has begun, also what nodes are still told and answer. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const before = await this.store.head();
      await this.#hostSettled();
      await turn();
      quiet = (await this.store.head()).position === before.position ? quiet + 1 : 0;
    }
  }

  /** What failed for a while is tried again after a wait, so the clock has to go on meanwhile. */
  async #hostSettled(): Promise<void> {
    const settling = this.host.settled().then(() => true);
    while (this.#moving && !(await Promise.race([settling, turn().then(() => false)]))) {
      this.clock.advance(5);
    }
    await settling;
  }

  /** Moves the clock, a minute at most at once, so that timers fire in between. */
  async pass(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left -= 60) {
      this.clock.advance(Math.min(left, 60) * 1000);
      await this.settled();
    }
  }

  async command<I extends z.ZodType, R extends z.ZodType>(
    contract: CommandContract<I, R>,
    input: z.input<I>,
    principal: Principal = staff,
  ) {
    const idempotencyKey = `key-${++this.#count}`;
    return this.host.command(contract, input, { principal, idempotencyKey });
  }

  async query<I extends z.ZodType, R extends z.ZodType>(
    contract: QueryContract<I, R>,
    input: z.input<I>,
    principal: Principal = staff,
  ): Promise<z.output<R>> {
    await this.settled();
    const reply = await this.host.query(contract, input, { principal });
    if (!reply.ok) throw new Error(reply.refusal.code);
    return reply.result;
  }

  async image(publish = true): Promise<string> {
    const inventory = await this.ports.blobs.put(new TextEncoder().encode('[]'));
    const drafted = await this.command(RegisterImage, {
      ...{ name: 'skel', digest: 'a'.repeat(64), source: 'builtin:skel', inventory },
      services: [{ service: 'web', ports: [80] }],
    });
    if (!drafted.ok) throw new Error(drafted.refusal.code);
    const { imageId } = drafted.result;
    const checks = [{ name: 'boots', passed: true }];
    if (publish) {
      await this.command(TestImage, { imageId, technician: id('member'), checks });
      await this.command(PublishImage, { imageId });
    }
    return imageId;
  }

  /** A node with room for so many containers of the sample plan. */
  async register(name: string, containers = 10, location = 'fra1'): Promise<string> {
    const reply = await this.command(RegisterNode, {
      ...{ name, location, engine: 'fake', features: [], cpuOvercommitPercent: 10_000 },
      capacity: { containers, cpuMillis: 1000, memoryBytes: '1048576', diskBytes: '1048576' },
    });
    if (!reply.ok) throw new Error(reply.refusal.code);
    return reply.result.nodeId;
  }

  /** The same with its agent. */
  async node(name: string, containers = 10, location = 'fra1'): Promise<string> {
    const nodeId = await this.register(name, containers, location);
    await this.settled();
    this.connect(nodeId);
    return nodeId;
  }

  /** Makes a key the node's, as its agent would by a token. */
  async enrol(nodeId: string): Promise<void> {
    const opened = await this.command(OpenNodeEnrolment, { nodeId });
    if (!opened.ok || opened.result.token === null) throw new Error('the enrolment did not open');
    const tokenDigest = createHash('sha256').update(opened.result.token).digest('hex');
    const key = `key-${++this.#count}`;
    const publicKey = key.padEnd(43, 'k');
    const enrolled = await this.command(EnrolNode, { nodeId, publicKey, tokenDigest }, as(nodeId));
    if (!enrolled.ok) throw new Error(enrolled.refusal.code);
    await this.settled();
  }

  /** Connects an agent for the node (anew). */
  connect(nodeId: string): void {
    const receive = (message: EndpointMessage): void => {
      if (message.type !== 'instruct') return;
      const { containerId, instructionId } = message.instruction;
      const outcome = this.manner(message.instruction);
      if (outcome === 'silent') return;
      queueMicrotask(() => {
        this.#connections
          .get(nodeId)
          ?.receive({ type: 'answer', containerId, instructionId, outcome });
      });
    };
    const connection = this.endpoint.connect(nodeId, receive);
    this.#connections.set(nodeId, connection);
    const inventory = {
      ...{ engine: 'fake', engineVersion: '1', kernel: '6', cpuMillis: 1, features: [] },
      ...{ memoryBytes: '1', diskBytes: '1' },
    };
    connection.receive({ type: 'hello', nodeId, protocol: 1, inventory });
  }

  /** What a node's agent says by itself. */
  async says(nodeId: string, message: AgentMessage): Promise<void> {
    this.#connections.get(nodeId)?.receive(message);
    await this.settled();
  }

  async range(cidr: string, location = 'fra1', coolDownSeconds = 0): Promise<string> {
    const reply = await this.command(RegisterRange, { cidr, location, coolDownSeconds });
    if (!reply.ok) throw new Error(reply.refusal.code);
    return reply.result.rangeId;
  }

  /** Asks as an operation would; answers how to read the answer. */
  async asks<N extends AskName>(
    ask: N,
    input: AskInput<N>,
    more: {
      readonly operation?: string;
      readonly step?: string;
      readonly attempt?: number;
      readonly tenant?: string;
      readonly seconds?: number;
    } = {},
  ): Promise<() => Promise<Answered | undefined>> {
    const {
      operation = 'op',
      step = ask.slice(11),
      attempt = 1,
      tenant = 'a',
      seconds = 600,
    } = more;
    const operationId = id('operation', operation);
    const ref = { operationId, step, attempt };
    const tenantId = id('tenant', tenant);
    const notAfter = plusSeconds(instantOf(this.clock.now()), seconds);
    const asked = StepAsked({ ref, ask, tenantId, input: { ...input }, notAfter });
    await this.record(`operation-${operationId}`, tenant, asked);
    return async () => {
      const [event] = await this.eventsOf(answerStream(ref));
      return event?.data as Answered | undefined;
    };
  }

  /** Asks, lets everything settle, answers the answer. */
  async answer<N extends AskName>(
    ask: N,
    input: AskInput<N>,
    more: Parameters<SampleWorld['asks']>[2] = {},
  ): Promise<Answered | undefined> {
    const read = await this.asks(ask, input, more);
    await this.settled();
    return read();
  }

  async tenantHold(name: string, tenants: readonly string[], lifted = false): Promise<void> {
    await this.recordHold(name, tenants, lifted);
    await this.settled();
  }

  /** The same, without waiting for what follows from it. */
  async recordHold(name: string, tenants: readonly string[], lifted: boolean): Promise<void> {
    const [first = 'a'] = tenants;
    const body = {
      ...{ tenantId: id('tenant', first), homeId: id('tenant', 'a'), kind: 'customer' as const },
      parentId: PROVIDER_ID,
      hold: { holdId: id('hold', name), kind: 'billing' as const, reason: 'overdue' },
      reaches: tenants.map((tenant) => id('tenant', tenant)),
    };
    const event = lifted ? TenantHoldLifted(body) : TenantHoldPlaced(body);
    await this.record(`tree-${id('tenant', 'a')}`, 'a', event);
  }

  async eventsOf(stream: string): Promise<Recorded[]> {
    const page = await this.store.readStream(stream, { limit: 1000 });
    return page.exists ? page.events.flatMap((event) => registry.decode(event) ?? []) : [];
  }

  /** Every event of these types in the log. */
  async all(...types: readonly string[]): Promise<Recorded[]> {
    const page = await this.store.readAll({ limit: 10_000 });
    const wanted = new Set(types.map((type) => `containers.${type}`));
    return page.events
      .filter((event) => wanted.has(event.type))
      .flatMap((event) => registry.decode(event) ?? []);
  }

  /** Appends an event at its stream's end, as its owner would. */
  async record(stream: string, tenant: string, event: Decided): Promise<void> {
    const page = await this.store.readStream(stream, { limit: 1000 });
    const revision = page.exists ? page.head : undefined;
    const commandkey = uuidOf('sample', stream, String(revision ?? ''));
    await this.store.append(stream, revision ?? 'no-stream', [
      {
        id: uuidOf(commandkey, '0'),
        type: event.type,
        ...registry.encode(event),
        time: instantOf(this.clock.now()),
        tenantid: id('tenant', tenant),
        homeid: id('tenant', 'a'),
        actorid: 'system:test',
        correlationid: commandkey,
        causationid: commandkey,
        commandkey,
        inputhash: '',
      },
    ]);
  }
}
