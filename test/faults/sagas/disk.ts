/**
 * What outlives a process: the log, keys and blobs, the node's engine and the agent's own file. It can
 * be forked, so that every run of a kind begins in the same world.
 */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Driver } from '@bivouac/agent';
import { allServices } from '@bivouac/all';
import { NodeRegistered } from '@bivouac/events/containers';
import { is, type Recorded } from '@bivouac/events/language';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { type EventStore, memoryEventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import {
  type EdgePorts,
  ManualClock,
  openPorts,
  readConfig,
  registryOf,
} from '@bivouac/infra/runtime';
import { memorySecrets } from '@bivouac/infra/secrets';

import { openFakeDriver } from '../../../services/agent/src/adapters/driver.fake.ts';
import { skelDigest, skelPackages } from '../../../services/all/src/seed/skel.ts';
import { Activity } from './life.ts';

const EPOCH = 'sagas';
/** Nobody's: the log is all there is to read. */
const registry = registryOf(allServices);

export class Disk {
  readonly folder: string;
  readonly store: EventStore;
  readonly ports: EdgePorts;
  readonly engine: Driver;
  readonly clock: ManualClock;
  readonly activity = new Activity();
  /** The node, once it is registered. */
  nodeId: string | undefined;
  #history: Recorded[] = [];

  private constructor(parts: Pick<Disk, 'folder' | 'store' | 'ports' | 'engine' | 'clock'>) {
    this.folder = parts.folder;
    this.store = parts.store;
    this.ports = parts.ports;
    this.engine = parts.engine;
    this.clock = parts.clock;
  }

  /** One with nothing on it. */
  static async empty(now: string): Promise<Disk> {
    const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-sagas-'));
    const clock = new ManualClock(now);
    const ports = {
      keys: memoryKeys({ master: new Uint8Array(32) }),
      secrets: memorySecrets(),
      blobs: memoryBlobs(),
      random: (bytes: number) => new Uint8Array(bytes),
    };
    const store = memoryEventStore({ epoch: EPOCH });
    return new Disk({ folder, clock, ports, store, engine: await engineIn(folder, clock) });
  }

  /** What is in a folder, as a real process keeps it: files, that a SIGKILL leaves as they are. */
  static async inFolder(folder: string, now: number): Promise<Disk> {
    const clock = new ManualClock(now);
    const store = await openEmbeddedStore({ folder: path.join(folder, 'log'), epoch: EPOCH });
    const ports = await openPorts(readConfig({ DATA_DIR: folder }));
    const disk = new Disk({ folder, clock, store, ports, engine: await engineIn(folder, clock) });
    for (const event of await disk.history()) {
      if (is(event, NodeRegistered)) disk.nodeId = event.data.nodeId;
      // Time has gone on with whoever was here before.
      if (clock.now() < Date.parse(event.time)) clock.moveTo(event.time);
    }
    return disk;
  }

  /** The same, to be changed by itself. What sealed and what is named by its content is shared. */
  async fork(): Promise<Disk> {
    const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-sagas-'));
    await cp(this.folder, folder, { recursive: true });
    const clock = new ManualClock(this.clock.now());
    const store = memoryEventStore({ epoch: EPOCH });
    for (const event of await this.#everything(undefined)) {
      const expected = event.revision === 0n ? 'no-stream' : event.revision - 1n;
      await store.append(event.stream, expected, [event]);
    }
    const engine = await engineIn(folder, clock);
    const copy = new Disk({ folder, clock, store, engine, ports: this.ports });
    copy.nodeId = this.nodeId;
    copy.#history = [...(await this.history())];
    return copy;
  }

  /** The agent's own file. */
  get fence(): string {
    return path.join(this.folder, 'fence');
  }

  /** The whole log, decoded. */
  async history(): Promise<readonly Recorded[]> {
    for (const stored of await this.#everything(this.#history.at(-1)?.position)) {
      const event = registry.decode(stored);
      if (event === undefined) throw new Error(`nobody knows ${stored.type}`);
      this.#history.push(event);
    }
    return this.#history;
  }

  /** Nobody reads or writes it any more; what is in files stays. */
  async close(): Promise<void> {
    await this.engine.close();
    await this.store.close();
    await this.ports.secrets.close();
    await this.ports.keys.close();
  }

  async dispose(): Promise<void> {
    await this.engine.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #everything(after: string | undefined) {
    const found = [];
    for (let from = after; ;) {
      const page = await this.store.readAll(from === undefined ? {} : { after: from });
      found.push(...page.events);
      from = page.events.at(-1)?.position ?? from;
      if (page.end) return found;
    }
  }
}

async function engineIn(folder: string, clock: ManualClock): Promise<Driver> {
  await mkdir(path.join(folder, 'engine'), { recursive: true });
  return openFakeDriver({
    folder: path.join(folder, 'engine'),
    clock: { now: () => clock.now(), sleep: () => Promise.resolve() },
    inventories: (digest) => (digest === skelDigest ? skelPackages : []),
  });
}
