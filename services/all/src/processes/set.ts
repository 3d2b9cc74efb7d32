/**
 * A set of processes as an installation: the log's server, the relay, replicas of every service, of the
 * gateway and of the agents' endpoint, and the nodes, each a process, on a clock that they are told.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { Position, StoredEvent } from '@bivouac/events/language';
import {
  callServices,
  createIdentity,
  openIdentity,
  type PrincipalKind,
} from '@bivouac/infra/calls';
import { type EventStore, openEventStore } from '@bivouac/infra/event-store';
import { Closing } from '@bivouac/infra/process';
import {
  openPorts,
  readConfig,
  registryOf,
  RuntimeError,
  systemClock,
} from '@bivouac/infra/runtime';
import { z } from 'zod';

import type { Installation, StartOptions } from '../installation.ts';
import { allServices } from '../services.ts';
import { type Build, sources } from './build.ts';
import { Gateways } from './gateways.ts';
import { Members } from './members.ts';
import {
  CountSchema,
  DumpedSchema,
  type Request,
  type Role,
  RoleSchema,
  SettledSchema,
} from './messages.ts';
import { Seats, type Start } from './seats.ts';
import { whenSettled } from './settling.ts';
import { Told } from './told.ts';

export interface ProcessesOptions extends StartOptions {
  /** `kafka://…`; every log has a topic of its own there. */
  readonly busUrl: string;
  /** Of each service, the gateway and the endpoint. */
  readonly replicas: number;
  /** Settings of all of them, as the environment has them. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly build?: Build;
  /** Processes to take and to give back; of its own unless told. */
  readonly members?: Members;
}

/** A set that runs, whose replicas can be stopped, killed and started one by one. */
export interface ProcessesInstallation extends Installation {
  readonly replicas: Pick<Seats, 'start' | 'stop' | 'kill'> & {
    /** The id of the process that it is just now. */
    pid(role: Role, number: number): number;
    /** Those whose homes it has, once what is its own has come to rest. */
    partitions(role: Role, number: number): Promise<readonly number[]>;
    /** Stopped in order and started again, on another build or with other settings. */
    roll(role: Role, number: number, how?: Start): Promise<void>;
  };
}

const serviceRoles = allServices.map(({ name }) => RoleSchema.parse(name));
/** Before it is looked again whether all partitions are held. */
const PAUSE = 50;
const KINDS: readonly PrincipalKind[] = ['member', 'key', 'node', 'system'];
const NothingSchema = z.object({});

/** Starts every process. Resolves when all can be called and the nodes are connected. */
export async function startProcesses(options: ProcessesOptions): Promise<ProcessesInstallation> {
  const { folder, clock, logger, replicas } = options;
  const closing = new Closing();
  return closing.opening(async () => {
    const members = options.members ?? new Members();
    if (options.members === undefined) closing.add(() => members.close());
    const identities = join(folder, 'identities');
    const shared: Record<string, string> = {
      ...{ BUS_URL: options.busUrl, LOG_LEVEL: logger.level, PROVIDER_NAME: options.providerName },
      ...Object.fromEntries(
        ['KEYS', 'SECRETS', 'BLOBS'].map((port) => [
          `${port}_URL`,
          `folder:${join(folder, port.toLowerCase())}`,
        ]),
      ),
      ...{ TRUSTED_CALLERS_FILE: join(identities, 'trusted-callers.json'), SHUTDOWN_MS: '10000' },
      ...options.settings,
      ...Object.fromEntries(
        Object.entries(options.changes ?? {}).map(([name, value]) => [name, String(value)]),
      ),
    };
    const seats: Seats = new Seats({
      ...{ folder, members },
      build: options.build ?? sources,
      now: () => clock.now(),
      settings: (role) => ({
        ...shared,
        IDENTITY_FILE: join(identities, `${callerName(role)}.json`),
      }),
      endpoints: () => seats.started('endpoint', 'all').flatMap(({ endpoint }) => endpoint ?? []),
      onFailure: options.onFailure,
    });
    const told = new Told(clock, (now) => tellAll(seats, now));
    closing.add(() => {
      told.end();
    });
    await makeIdentities(identities);

    closing.add(() => seats.stopAll('store'));
    const { url } = await seats.start('store', 1, { build: sources });
    shared['EVENT_STORE_URL'] = url;
    const own = join(folder, 'parts', 'set');
    await mkdir(own, { recursive: true });
    const store = await openEventStore({ url, folder: own, logger });
    closing.add(() => store.close());
    const ports = await openPorts(readConfig({ ...shared, DATA_DIR: own }));
    closing.add(() => ports.close());

    const numbers = Array.from({ length: replicas }, (_, i) => i + 1);
    const each = (...roles: readonly Role[]): Promise<unknown> =>
      Promise.all(roles.flatMap((role) => numbers.map((number) => seats.start(role, number))));
    closing.add(() => seats.stopAll('relay'));
    await seats.start('relay', 1);
    closing.add(() => seats.stopAll(...serviceRoles));
    await each(...serviceRoles);
    const services = new Map(
      serviceRoles.map((role) => [role, seats.started(role).map((started) => started.url)]),
    );
    shared['SERVICE_URLS'] = [...services]
      .map(([name, urls]) => `${name}=${urls.join('|')}`)
      .join(',');
    const caller = callServices({
      ...{ services, clock: systemClock, logger },
      identity: await openIdentity(join(identities, 'harness.json')),
    });
    closing.add(() => caller.close());
    closing.add(() => seats.stopAll('gateway', 'endpoint'));
    await each('gateway', 'endpoint');
    closing.add(() => seats.stopAll('nodes'));
    const connected = await seats.start('nodes', 1);
    const follower = await follow(store, options.onFailure);
    closing.add(() => follower.stop());

    const askAll = async <S extends z.ZodType>(
      role: Role,
      schema: S,
      request: Request,
    ): Promise<z.output<S>[]> => {
      await told.heard();
      return Promise.all(seats.running(role).map(({ member }) => member.ask(schema, request)));
    };
    const ofService = (name: string): Role => RoleSchema.parse(name);
    let settledAt: Position | undefined;
    let stopping: Promise<void> | undefined;
    return {
      ...{ store, ports },
      provider: { tenantId: PROVIDER_ID, homeId: PROVIDER_ID },
      host: {
        registry: registryOf(allServices),
        command: async (contract, input, call) => {
          await told.heard();
          return caller.command(contract, input, call);
        },
        query: async (contract, input, call) => {
          await told.heard();
          // What the callers of `onApplied` have seen has been applied where they are answered.
          if (call.atLeast !== undefined) return caller.query(contract, input, call);
          for (;;) {
            const atLeast = follower.last();
            const reply = await caller.query(contract, input, {
              ...call,
              ...(atLeast && { atLeast }),
            });
            // Nobody has asked for a position: a replica that is behind is waited for.
            if (reply.ok || reply.refusal.code !== 'NOT_YET') return reply;
          }
        },
        ready: () => stopping === undefined,
        settled: async () => {
          await told.heard();
          const position = await whenSettled({
            head: async () => (await store.head()).position,
            replicas: () =>
              seats.running(...serviceRoles).map(({ role, member }) => ({
                service: role,
                settle: () => member.ask(SettledSchema, { type: 'settle' }),
              })),
            pause: () => systemClock.sleep(PAUSE),
          });
          settledAt = position ?? undefined;
        },
        follower: {
          onApplied: (callback) => follower.onEvents(callback),
          rebuild: async (service) => {
            await askAll(ofService(service), NothingSchema, { type: 'rebuild' });
          },
          dump: async (service) => {
            const dumps = await askAll(ofService(service), DumpedSchema, { type: 'dump' });
            const [first, ...others] = dumps;
            if (first === undefined || others.some(({ sha256 }) => sha256 !== first.sha256))
              throw new RuntimeError('defect', `the replicas of ${service} have different rows`);
            return first;
          },
        },
      },
      gateway: new Gateways({
        urls: () => seats.started('gateway').map((started) => started.url),
        heard: () => told.heard(),
        settledAt: () => settledAt,
        subscriptions: async () => {
          const counts = await askAll('gateway', CountSchema, { type: 'subscriptions' });
          return counts.reduce((sum, { count }) => sum + count, 0);
        },
        endSubscriptions: async () => {
          await askAll('gateway', NothingSchema, { type: 'end-subscriptions' });
        },
      }),
      nodes: {
        list: connected.nodes ?? [],
        endpoint: seats.started('endpoint')[0]?.endpoint,
        instances: async () => {
          const [counted] = await askAll('nodes', CountSchema, { type: 'instances' });
          if (counted === undefined) throw new RuntimeError('unavailable', 'no node runs');
          return counted.count;
        },
        stop: () => seats.stop('nodes', 1),
      },
      replicas: {
        start: (role, number, how) => seats.start(role, number, how),
        stop: (role, number) => seats.stop(role, number),
        kill: (role, number) => seats.kill(role, number),
        pid: (role, number) => seats.member(role, number).pid,
        partitions: async (role, number) => {
          const member = seats.member(role, number);
          return (await member.ask(SettledSchema, { type: 'settle' })).partitions ?? [];
        },
        roll: async (role, number, how) => {
          await seats.stop(role, number);
          await seats.start(role, number, how);
        },
      },
      stop: () => (stopping ??= closing.close()),
    };
  });
}

/** Each edge has an identity of its own; the nodes are registered as the one who set it all up. */
function callerName(role: Role): string {
  return role === 'gateway' || role === 'endpoint' ? role : 'harness';
}

/** A folder that was used before has them. */
async function makeIdentities(folder: string): Promise<void> {
  for (const name of ['gateway', 'endpoint', 'harness']) {
    const there = await openIdentity(join(folder, `${name}.json`)).catch(() => undefined);
    if (there !== undefined) continue;
    await createIdentity({ folder, name, ...(name === 'harness' && { principals: KINDS }) });
  }
}

function tellAll(seats: Seats, now: number): Promise<unknown> {
  const tell = async ({ member, ahead }: ReturnType<Seats['running']>[number]): Promise<void> => {
    try {
      await member.ask(NothingSchema, { type: 'clock', now: now + ahead });
    } catch (error) {
      // Who has ended needs no time.
      if (!member.over) throw error;
    }
  };
  return Promise.all(seats.running().map(tell));
}

type OnEvents = (position: Position, events: readonly StoredEvent[]) => void;

/** Hears of what is appended from now on. */
async function follow(store: EventStore, onFailure: (error: unknown) => void) {
  const listeners = new Set<OnEvents>();
  const over = new AbortController();
  const [end] = (await store.readAll({ direction: 'backwards', limit: 1 })).events;
  let last = end?.position;
  const after = end && { after: { epoch: end.epoch, position: end.position, eventId: end.id } };
  const listen = async (): Promise<void> => {
    for await (const message of store.subscribe({ ...after, signal: over.signal })) {
      if (message.kind !== 'events') continue;
      const newest = message.events.at(-1)?.position;
      if (newest === undefined) continue;
      last = newest;
      for (const listener of listeners) listener(newest, message.events);
    }
  };
  const listening = listen().catch((error: unknown) => {
    if (!over.signal.aborted) onFailure(error);
  });
  return {
    last: () => last,
    onEvents: (listener: OnEvents) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    stop: async () => {
      over.abort();
      await listening;
    },
  };
}
