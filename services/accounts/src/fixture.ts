/**
 * The service in a test: real command host and memory store, read model in memory, and a vault that
 * forgets on demand. Reactions are called by the test itself.
 */
import {
  type CommandContract,
  type CommandReply,
  type Decided,
  eventRegistry,
  type Principal,
  type QueryContract,
  type Recorded,
  type Sealed,
  type StoredEvent,
} from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { memoryEventStore } from '@bivouac/infra/event-store';
import { KeyError, type Keys } from '@bivouac/infra/keys';
import {
  commandHost,
  type EdgePorts,
  logReading,
  ManualClock,
  type QueryContext,
  type ServiceDefinition,
} from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

export const provider: Principal = {
  id: 'system:test',
  kind: 'system',
  tenantId: deriveId('tenant', 'provider'),
  homeId: deriveId('tenant', 'provider'),
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};

export const staff: Principal = { ...provider, id: deriveId('apiKey', 'staff'), kind: 'key' };

/** Somebody of a customer, with a reach of its own tenant or of the tenants given. */
export function customerOf(tenantId: string, reach: readonly string[] = [tenantId]): Principal {
  return {
    id: deriveId('apiKey', tenantId),
    kind: 'key',
    tenantId,
    homeId: tenantId,
    reach: new Set(reach),
    rights: 'all',
    audience: 'customer',
  };
}

export type Fixture = ReturnType<typeof fixture>;

export function fixture(definition: ServiceDefinition) {
  const store = memoryEventStore();
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const registry = eventRegistry(definition.events);
  const keys = vault();
  let drawn = 0;
  const ports: EdgePorts = {
    keys,
    secrets: {
      put: () => Promise.resolve(),
      get: () => Promise.resolve(undefined),
      destroy: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    blobs: {
      put: () => Promise.reject(new Error('accounts has no blobs')),
      get: () => Promise.reject(new Error('accounts has no blobs')),
    },
    random: (bytes) => new Uint8Array(bytes).fill(++drawn),
  };
  const hostOf = () =>
    commandHost({
      handlers: definition.commands,
      store,
      registry,
      clock,
      ports,
      providerId: () => provider.tenantId,
    });
  const host = hostOf();
  const views = memoryViews();
  let sent = 0;

  const log = async (): Promise<readonly StoredEvent[]> => (await store.readAll()).events;
  /** Applies what was appended since. */
  const follow = async (): Promise<void> => {
    for (const event of await log()) {
      if (event.position <= (views.checkpoint()?.position ?? '')) continue;
      const recorded = registry.decode(event);
      const { epoch, position, id: eventId } = event;
      views.apply({ epoch, position, eventId }, (view) => {
        for (const { handlers } of definition.projections)
          if (recorded !== undefined) handlers.get(recorded.type)?.(recorded, view);
      });
    }
  };

  return {
    clock,
    host,
    /** Another process on the same store. */
    anotherHost: hostOf,
    keys,
    log,
    registry,
    store,
    views,
    follow,
    run: <I extends z.ZodType, R extends z.ZodType>(
      contract: CommandContract<I, R>,
      input: z.input<I>,
      principal: Principal = staff,
      idempotencyKey = `key ${++sent}`,
    ): Promise<CommandReply<z.output<R>>> =>
      host.command(contract, input, { principal, idempotencyKey }),
    /** Answers a query on all that was appended, and holds the answer to its contract. */
    ask: async <I extends z.ZodType, R extends z.ZodType>(
      contract: QueryContract<I, R>,
      args: z.input<I>,
      principal: Principal = staff,
    ): Promise<z.output<R>> => {
      const answer = await answerTo(contract, args, principal);
      return contract.result.parse(answer);
    },
    /** The bare answer: a result or a refusal. */
    answerTo,
    /** Appends a fact that no command makes yet. */
    append: async (stream: string, event: Decided, tenantId: string, homeId: string) => {
      const page = await store.readStream(stream);
      const commandkey = uuidOf('append', stream, `${++sent}`);
      await store.append(stream, page.exists ? page.head : 'no-stream', [
        {
          ...registry.encode(event),
          id: uuidOf(commandkey, '0'),
          type: event.type,
          time: instantOf(clock.now()),
          tenantid: tenantId,
          homeid: homeId,
          actorid: 'system:test',
          correlationid: commandkey,
          causationid: commandkey,
          commandkey,
          inputhash: '',
        },
      ]);
    },
  };

  async function answerTo(contract: QueryContract, args: unknown, principal: Principal) {
    await follow();
    const query = definition.queries.find((q) => q.contract.name === contract.name);
    if (query === undefined) throw new Error(`nobody answers ${contract.name}`);
    const { reach } = principal;
    const context: QueryContext = {
      principal,
      reaches: (tenantId) => reach === 'all' || reach.has(tenantId),
      ports,
      history: async (stream, page) => history(await store.readStream(stream), page),
      log: logReading(store, registry),
      now: () => instantOf(clock.now()),
    };
    return query.run(views.view, contract.input.parse(args), context);
  }

  function history(
    page: Awaited<ReturnType<typeof store.readStream>>,
    { after, before, limit, reverse }: Parameters<QueryContext['history']>[1],
  ): { events: readonly Recorded[]; end: boolean } {
    const inside = (page.exists ? page.events : [])
      .filter((e) => after === undefined || e.revision > BigInt(after))
      .filter((e) => before === undefined || e.revision < BigInt(before));
    const ordered = reverse === true ? inside.reverse() : inside;
    return {
      events: ordered.slice(0, limit).flatMap((event) => registry.decode(event) ?? []),
      end: ordered.length <= limit,
    };
  }
}

/** Keys in memory: a box is a number under which the clear text lies until its key is destroyed. */
function vault(): Keys {
  const boxes = new Map<string, string>();
  const erased = new Set<string>();
  let made = 0;
  return {
    seal: (person, purpose, clear): Promise<Sealed> => {
      if (erased.has(`${person}/${purpose}`))
        return Promise.reject(new KeyError('erased', `${person} was erased`));
      const box = `box${++made}`;
      boxes.set(box, clear);
      return Promise.resolve({ person, purpose, box, commitment: 'A'.repeat(43) });
    },
    open: ({ person, purpose, box }) =>
      Promise.resolve(erased.has(`${person}/${purpose}`) ? undefined : boxes.get(box)),
    hmac: (owner, bytes) =>
      erased.has(`${owner}/contact`)
        ? Promise.reject(new KeyError('erased', `${owner} was erased`))
        : Promise.resolve(uuidOf(owner, Buffer.from(bytes).toString())),
    destroy: (person, purposes) => {
      for (const purpose of purposes) erased.add(`${person}/${purpose}`);
      return Promise.resolve();
    },
    forget: (person, purposes) => {
      for (const purpose of purposes) erased.add(`${person}/${purpose}`);
    },
    close: () => Promise.resolve(),
  };
}
