/**
 * Provisioning over a log in memory, with a bus that can deliver twice and be killed, and contexts
 * that answer as the test says.
 */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import {
  type CommandContract,
  type Decided,
  eventRegistry,
  type Principal,
  type QueryContract,
  type Recorded,
} from '@bivouac/events/language';
import { type AskName, type AskRef, StepAsked } from '@bivouac/events/operations';
import { instantOf, uuidOf } from '@bivouac/events/values';
import { memoryEventStore } from '@bivouac/infra/event-store';
import {
  commandHost,
  type EdgePorts,
  logReading,
  ManualClock,
  type PolicyContext,
  type QueryContext,
} from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

import { RecordAnswer } from './internal.ts';
import { provisioningService } from './service.ts';

export const staff: Principal = {
  id: 'key_staff',
  kind: 'key',
  tenantId: PROVIDER_ID,
  homeId: PROVIDER_ID,
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};

export function customerOf(tenantId: string): Principal {
  const reach = new Set([tenantId]);
  return { ...staff, id: 'key_customer', tenantId, homeId: tenantId, reach, audience: 'customer' };
}

/** What an owner answers; undefined: nothing yet. */
export type Owners = (
  ask: AskName,
  input: Readonly<Record<string, unknown>>,
  ref: AskRef,
) => Omit<z.input<typeof RecordAnswer.input>, 'ref' | 'ask'> | undefined;

/** No command of provisioning touches the edge but for the hash of its input. */
const ports = {
  keys: {
    hmac: (owner: string, bytes: Uint8Array) =>
      Promise.resolve(uuidOf(owner, Buffer.from(bytes).toString())),
  },
  random: (bytes: number) => new Uint8Array(bytes),
} as unknown as EdgePorts;

const { commands: handlers, events, policies, projections, queries } = provisioningService;
const registry = eventRegistry(events);

export function world(owners: Owners) {
  const store = memoryEventStore();
  const clock = new ManualClock('2026-05-01T09:00:00.000Z');
  const start = () =>
    commandHost({ handlers, store, registry, clock, ports, providerId: () => PROVIDER_ID });
  let host = start();
  let delivered = 0;
  let sent = 0;

  const log = async () => (await store.readAll({ limit: 100_000 })).events;
  const execute = (contract: CommandContract, input: unknown, principal: Principal, key: string) =>
    host.commandByName(contract.name, input, { principal, idempotencyKey: key });
  const contextOf = (name: string, eventId: string) => {
    const principal: Principal = { ...staff, id: `policy:${name}`, kind: 'policy' };
    const context: Pick<PolicyContext, 'execute'> = {
      execute: (contract, input, n = '') =>
        host.command(contract, input, { principal, idempotencyKey: `${eventId}/${n}` }),
    };
    return context as PolicyContext;
  };
  /** Hands the log to the policies from where it was; what is asked is answered. */
  const deliver = async (atMost: number): Promise<number> => {
    const now = (await log()).slice(delivered, delivered + atMost);
    for (const stored of now) {
      const event = registry.decode(stored);
      if (event === undefined) continue;
      for (const policy of policies) {
        if (!policy.definitions.some(({ type }) => type === event.type)) continue;
        await policy.react(event, contextOf(policy.name, event.id));
      }
      if (event.type !== StepAsked.type) continue;
      const { ref, ask, input } = StepAsked.schema.parse(event.data);
      const answer = owners(ask, input, ref);
      if (answer === undefined) continue;
      const system: Principal = { ...staff, id: `policy:${ask}`, kind: 'policy' };
      await execute(RecordAnswer, { ref, ask, ...answer }, system, event.id);
    }
    delivered += now.length;
    return now.length;
  };

  return {
    log,
    command: <I extends z.ZodType, R extends z.ZodType>(
      contract: CommandContract<I, R>,
      input: z.input<I>,
      principal: Principal = staff,
    ) => host.command(contract, input, { principal, idempotencyKey: `test ${++sent}` }),
    /** An event of another context, as the bus delivers it. */
    happened: async (event: Decided, homeId: string, id: string) => {
      const recorded = { ...event, id, homeid: homeId, stream: `other-${homeId}` } as Recorded;
      for (const policy of policies) {
        if (!policy.definitions.some(({ type }) => type === event.type)) continue;
        await policy.react(recorded, contextOf(policy.name, id));
      }
    },
    /** Reactions until nothing is left to react to. */
    settle: async () => {
      while ((await deliver(100_000)) > 0);
    },
    /** Some reactions; then the process dies, and the last ones are delivered again to the next. */
    crashAfter: async (reactions: number, again: number) => {
      await deliver(reactions);
      delivered = Math.max(0, delivered - again);
      host = start();
    },
    recorded: async (type: string) =>
      (await log()).filter((event) => event.type === type).flatMap((e) => registry.decode(e) ?? []),
    query: async <I extends z.ZodType, R extends z.ZodType>(
      contract: QueryContract<I, R>,
      args: z.input<I>,
      principal: Principal = staff,
    ): Promise<z.output<R>> => {
      const views = memoryViews();
      for (const event of await log()) {
        const known = registry.decode(event);
        const { epoch, position, id: eventId } = event;
        views.apply({ epoch, position, eventId }, (view) => {
          for (const projection of projections)
            if (known !== undefined) projection.handlers.get(known.type)?.(known, view);
        });
      }
      const query = queries.find((one) => one.contract.name === contract.name);
      const context: QueryContext = {
        principal,
        reaches: (id) => principal.reach === 'all' || principal.reach.has(id),
        ports,
        history: () => Promise.resolve({ events: [], end: true }),
        log: logReading(store, registry),
        now: () => instantOf(clock.now()),
      };
      const answer = await query?.run(views.view, contract.input.parse(args), context);
      return contract.result.parse(answer);
    },
  };
}
