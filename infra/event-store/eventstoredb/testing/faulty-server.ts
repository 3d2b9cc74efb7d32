/** A server that does wrong as a test plans it, and the adapter on it, through real gRPC. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { Metadata, type status } from '@grpc/grpc-js';
import { ServedCluster } from '../../../dev/eventstore/cluster.ts';
import type { Fault, ServedCall } from '../../../dev/eventstore/faults.ts';
import {
  type ServedEventStore,
  type ServeOptions,
  serveEventStore,
} from '../../../dev/eventstore/server.ts';
import { memoryEventStore } from '../../memory.ts';
import type { EventStore } from '../../port.ts';
import { openEventStoreDb } from '../store.ts';

/** Short, so that what waits for a timer is quick; long enough for a slow machine to answer. */
export const patience = { append: 1500, idle: 1000, attempts: 4, pause: 5 };

/** What goes wrong with a call of a method. */
export interface Planned {
  readonly method: ServedCall['method'];
  readonly fault: Fault;
}

/** What a test has before it; all of it is made anew for each. */
export class FaultyServer {
  #set:
    { folder: string; log: EventStore; server: ServedEventStore; store: EventStore } | undefined;
  calls: ServedCall[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Faults by method; each is done once, in turn. */
  plan: Planned[] = [];
  /** Done to every call of a method. */
  always: Planned | undefined;
  /** Closed behind the test, the last of them first. */
  readonly closing: (() => Promise<void>)[] = [];

  get folder(): string {
    return this.#made.folder;
  }

  /** What the server serves: what is done to it is done behind the adapter's back. */
  get log(): EventStore {
    return this.#made.log;
  }

  get server(): ServedEventStore {
    return this.#made.server;
  }

  set server(server: ServedEventStore) {
    this.#made.server = server;
  }

  /** The adapter. */
  get store(): EventStore {
    return this.#made.store;
  }

  set store(store: EventStore) {
    this.#made.store = store;
  }

  /** The adapter as a process of the name opens it. */
  async open(url = this.server.url, name = 'client'): Promise<EventStore> {
    const opened = await openEventStoreDb({ url, folder: path.join(this.folder, name), patience });
    this.closing.push(() => opened.close());
    return opened;
  }

  /** A server of a log, with the faults of the plan. */
  async serve(
    store: EventStore,
    port = 0,
    more: Omit<ServeOptions, 'store' | 'port' | 'faults'> = {},
  ): Promise<ServedEventStore> {
    const faults = (call: ServedCall): Fault | undefined => this.#next(call);
    const served = await serveEventStore({ store, faults, port, ...more });
    this.closing.push(() => served.close());
    return served;
  }

  /** Servers of the log of which the first leads, with the faults of the plan. */
  async cluster(size: number): Promise<ServedCluster> {
    const faults = (call: ServedCall): Fault | undefined => this.#next(call);
    const served = await ServedCluster.serve(size, { store: this.log, faults });
    this.closing.push(() => served.close());
    return served;
  }

  /** Resolves when so many calls of a method have come. */
  async called(method: ServedCall['method'], times: number): Promise<void> {
    while (this.calls.filter((call) => call.method === method).length < times) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async setUp(): Promise<void> {
    const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-esdb-'));
    const log = memoryEventStore();
    const server = await this.serve(log);
    // The adapter is not there yet: nobody asks for it before.
    this.#set = { folder, log, server, store: log };
    this.store = await this.open();
    this.calls = [];
  }

  async tearDown(): Promise<void> {
    this.plan = [];
    this.always = undefined;
    for (const close of this.closing.splice(0).reverse()) await close();
    rmSync(this.folder, { recursive: true });
  }

  #next(call: ServedCall): Fault | undefined {
    this.calls.push(call);
    for (const wake of this.#waiting.splice(0)) wake();
    if (this.always?.method === call.method) return this.always.fault;
    const i = this.plan.findIndex(({ method }) => method === call.method);
    return i === -1 ? undefined : this.plan.splice(i, 1)[0]?.fault;
  }

  get #made() {
    if (this.#set === undefined) throw new Error('there is a server only within a test');
    return this.#set;
  }
}

/** One for each test of the file. */
export function faultyServer(): FaultyServer {
  const at = new FaultyServer();
  beforeEach(() => at.setUp());
  afterEach(() => at.tearDown());
  return at;
}

/** A call that fails with a status. */
export const failing = (code: status, details: string, metadata?: Metadata) =>
  ({ fault: 'fail', code, details, ...(metadata && { metadata }) }) as const;

/** What the server says besides the status. */
export function exception(name: string, more: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries({ exception: name, ...more })) metadata.set(key, value);
  return metadata;
}

/** The port of a server's URL. */
export function portOf({ url }: ServedEventStore): number {
  return Number(new URL(url.replace('esdb:', 'http:')).port);
}
