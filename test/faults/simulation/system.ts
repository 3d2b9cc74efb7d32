/**
 * The processes of a run: hosts with all services and an endpoint for agents, relays, and nodes with
 * their agents. Each is the real code on simulated ports, and is started again some time after it died.
 */
import { startAgent } from '@bivouac/agent';
import { nodeCalls, nodeEndpoint } from '@bivouac/containers';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { ServiceCaller } from '@bivouac/events/language';
import { NodeNews } from '@bivouac/all/node-news';
import { tapped } from '@bivouac/all/services';
import type { Bus } from '@bivouac/infra/bus';
import type { EventStore } from '@bivouac/infra/event-store';
import {
  type EdgePorts,
  type Host,
  isTransient,
  RuntimeError,
  type ServiceDefinition,
  startHost,
} from '@bivouac/infra/runtime';
import { memoryViews, type ViewStore } from '@bivouac/infra/views';

import { KafkaConsumer } from '../../../infra/bus/kafka/consumer.ts';
import { Publisher } from '../../../infra/bus/kafka/publisher.ts';
import { RelayCheckpoint } from '../../../infra/bus/kafka/relay-checkpoint.ts';
import { Relay } from '../../../infra/bus/kafka/relay.ts';
import { openFakeDriver } from '../../../services/agent/src/adapters/driver.fake.ts';
import { seededFaults } from '../../../services/agent/src/adapters/fake/faults.ts';
import { openFence } from '../../../services/agent/src/fence/fence.ts';
import { StepAnswerSchema } from '../../../services/agent/src/step-answer.ts';
import { type SimulatedBroker, TOPIC } from './broker.ts';
import { SimulatedDisk } from './disk.ts';
import { SimulatedProcess, type Surroundings } from './process.ts';
import type { Release, Releases } from './releases.ts';
import { type SimulatedLog, type StoreFaults, storeOf } from './store.ts';
import { connecting, type Entrance, type WireFaults } from './wire.ts';
import { CLUSTER, EPOCH, silent, type WorldNode } from './world.ts';

/** Something wrong that is put into a run on purpose: a port in a faulty wrapping, a faulty policy. */
export interface Plant {
  readonly services?: (
    services: readonly ServiceDefinition[],
    store: EventStore,
  ) => readonly ServiceDefinition[];
  readonly store?: (store: EventStore, process: SimulatedProcess) => EventStore;
  readonly bus?: (bus: Bus, process: SimulatedProcess) => Bus;
  readonly caller?: (caller: ServiceCaller) => ServiceCaller;
}

export interface SystemOptions {
  readonly surroundings: Surroundings;
  readonly log: SimulatedLog;
  readonly broker: SimulatedBroker;
  readonly ports: EdgePorts;
  readonly nodes: readonly WorldNode[];
  readonly seed: number;
  readonly plant: Plant;
  readonly releases: Releases;
  readonly storeFaults: () => StoreFaults;
  readonly wireFaults: () => WireFaults;
  readonly engine: () => EngineFaults;
  /** Milliseconds by which the wall clock of the next process differs. */
  readonly skew: () => number;
  /** Sees the services as a host is about to run them. */
  readonly watched: (
    services: readonly ServiceDefinition[],
    process: SimulatedProcess,
  ) => readonly ServiceDefinition[];
  /** A process has ended for what no fault explains. */
  readonly broken: (what: string) => void;
}

export interface EngineFaults {
  readonly fail: number;
  readonly lose: number;
  readonly refuse: number;
  readonly slow: number;
}

/** A host that answers. */
export interface RunningHost extends Entrance {
  readonly host: Host;
  /** As clients reach it. */
  readonly caller: ServiceCaller;
  readonly views: ReadonlyMap<string, ViewStore>;
  /** What it runs, in its release. */
  readonly services: readonly ServiceDefinition[];
}

/** Where one of the hosts runs, time after time. */
interface Seat {
  /** What is installed there: what its next process runs. */
  installed: Release;
  /** What its process runs, which may have been started before that was installed. */
  runs: Release;
  process: SimulatedProcess | undefined;
}

/** Milliseconds of the network in which a host that is rolled has to finish what it has in hand. */
const ROLLING = 3000;

export class System {
  /** Those that answer. */
  readonly hosts: RunningHost[] = [];
  /** All that live, ready or not. */
  readonly processes: SimulatedProcess[] = [];
  readonly #options: SystemOptions;
  readonly #disks = new Map<string, SimulatedDisk>();
  readonly #seats: Seat[] = [];
  /** Restarts that were not begun. */
  #resting = 0;

  constructor(options: SystemOptions) {
    this.#options = options;
  }

  /** Nothing that should run is away. */
  whole(hosts: number): boolean {
    return this.#resting === 0 && this.hosts.length === hosts;
  }

  disk(node: string): SimulatedDisk {
    const known = this.#disks.get(node);
    if (known !== undefined) return known;
    const disk = new SimulatedDisk();
    this.#disks.set(node, disk);
    return disk;
  }

  startHost(): void {
    const seat: Seat = { installed: 'before', runs: 'before', process: undefined };
    this.#seats.push(seat);
    this.#start('host', (process) => {
      seat.process = process;
      seat.runs = seat.installed;
      return this.#host(process, seat.runs);
    });
  }

  /** What is installed where hosts run, in the order in which they were started first. */
  get installed(): readonly Release[] {
    return this.#seats.map(({ installed }) => installed);
  }

  /** No host is of the release before, nor will one be. */
  get allRead(): boolean {
    return this.#seats.every(({ installed, runs, process }) => {
      const alive = process !== undefined && !process.over;
      return installed !== 'before' && !(alive && runs === 'before');
    });
  }

  /**
   * Installs a release where a host runs, which ends: at once, or when it has finished what it has in
   * hand. What runs then is of that release.
   */
  roll(number: number, release: Release, gently: boolean): void {
    const seat = this.#seats[number];
    if (seat === undefined) return;
    seat.installed = release;
    const { process } = seat;
    if (process === undefined || process.over) return;
    const { scheduler } = this.#options.surroundings;
    const end = (): void => {
      process.kill(`rolled to a release: ${release}`);
    };
    const running = this.hosts.find((host) => host.process === process);
    if (running === undefined || !gently) {
      end();
      return;
    }
    scheduler.note(`${process.name} is to end`);
    // Nobody is sent to it any more.
    this.hosts.splice(this.hosts.indexOf(running), 1);
    scheduler.after(ROLLING, undefined, 'nobody waits for its end', end);
    running.host.stop(ROLLING).then(end, end);
  }

  startRelay(): void {
    this.#start('relay', (process) => this.#relay(process));
  }

  startNodes(): void {
    for (const node of this.#options.nodes) {
      this.#start(node.name, (process) => this.#node(process, node));
    }
  }

  /** Starts a process, and again whenever it has died. */
  #start(kind: string, begin: (process: SimulatedProcess) => Promise<void>): void {
    const { surroundings, skew } = this.#options;
    const process = new SimulatedProcess(kind, surroundings, skew());
    this.processes.push(process);
    process.onEnd(() => {
      this.processes.splice(this.processes.indexOf(process), 1);
      this.#resting++;
      const { draws, scheduler } = surroundings;
      const rest = draws.chance(0.6) ? draws.between(5, 200) : draws.between(200, 8000);
      scheduler.after(rest, undefined, `a ${kind} is started`, () => {
        this.#resting--;
        this.#start(kind, begin);
      });
    });
    begin(process).catch((error: unknown) => {
      this.#failed(process, error);
    });
  }

  /** It has stopped by itself: so does the process, and is started again. */
  #failed(process: SimulatedProcess, error: unknown): void {
    if (process.over) return;
    if (!isExplained(error)) this.#options.broken(`${process.name} broke: ${textOf(error)}`);
    process.kill(textOf(error));
  }

  async #host(process: SimulatedProcess, release: Release): Promise<void> {
    const { log, broker, plant, storeFaults, watched, surroundings, releases } = this.#options;
    const { clock } = process;
    const failed = (error: unknown): void => {
      this.#failed(process, error);
    };
    const plain = storeOf(log, process, storeFaults);
    const store = plant.store?.(plain, process) ?? plain;
    const news = new NodeNews();
    const right = watched(tapped(news, releases.of(release)), process);
    const services = plant.services?.(right, store) ?? right;
    const views = new Map<string, ViewStore>();
    const bus = busOf(broker, process);
    const host = await startHost({
      services,
      ...{ store, clock, logger: silent, onFailure: failed },
      bus: plant.bus?.(bus, process) ?? bus,
      written: releases.written(release),
      ports: portsOf(this.#options.ports, process),
      providerId: () => PROVIDER_ID,
      views: (service) => {
        const made = memoryViews();
        views.set(service, made);
        return made;
      },
    });
    for (const { startup } of services) {
      await startup?.started?.(host, { providerName: 'Bivouac' });
    }
    const caller = plant.caller?.(host) ?? host;
    let ids = 0;
    const endpoint = nodeEndpoint({
      ...nodeCalls(caller),
      onNewInstruction: news.onInstruction,
      clock: { now: () => clock.now(), sleep: (ms, signal) => process.network.sleep(ms, signal) },
      newId: () => `${process.name} ${surroundings.scheduler.steps} ${++ids}`,
      log: () => undefined,
    });
    const running: RunningHost = { process, host, caller, endpoint, views, services };
    this.hosts.push(running);
    process.onEnd(() => {
      const at = this.hosts.indexOf(running);
      if (at !== -1) this.hosts.splice(at, 1);
    });
  }

  async #relay(process: SimulatedProcess): Promise<void> {
    const { log, broker, storeFaults, surroundings } = this.#options;
    const { network, clock } = process;
    const store = storeOf(log, process, storeFaults);
    const publisher = new Publisher({
      kafka: broker.producersOf(process),
      topic: TOPIC,
      ensureTopic: () => Promise.resolve(),
      ...{ network, logger: silent },
      random: () => surroundings.draws.unit(),
    });
    await publisher.open();
    const of = { clusterId: CLUSTER, topic: TOPIC, tenantId: PROVIDER_ID };
    await Relay.start({
      ...{ store, publisher, network, logger: silent, epoch: EPOCH },
      checkpoint: new RelayCheckpoint({ ...of, store, clock }),
      onFailure: (error) => {
        this.#failed(process, error);
      },
    });
  }

  async #node(process: SimulatedProcess, node: WorldNode): Promise<void> {
    const { surroundings, engine, seed, wireFaults } = this.#options;
    const { fail, lose, refuse, slow } = engine();
    const { clock, network } = process;
    const disk = this.disk(node.name).of(process);
    const driver = await openFakeDriver({
      ...{ folder: '/engine', disk, clock: network, now: () => clock.now() },
      latencyMs: () => slow * surroundings.draws.unit(),
      faults: seededFaults(seed, node.name, [
        { kind: 'fail', step: 'any', probability: fail },
        { kind: 'lose', step: 'any', probability: lose },
        { kind: 'refuse', step: 'any', probability: refuse },
      ]),
      capacity: { memoryBytes: node.memoryBytes, diskBytes: node.diskBytes },
    });
    const fence = await openFence('/fence', { answer: StepAnswerSchema, disk });
    const { dismissed } = await startAgent({
      ...{ nodeId: node.nodeId, driver, fence, start: 'await-endpoint' },
      clock: { now: () => clock.now(), sleep: (ms, signal) => network.sleep(ms, signal) },
      connect: connecting(node.nodeId, process, () => this.hosts, wireFaults),
      random: () => surroundings.draws.unit(),
      log: () => undefined,
    });
    // An agent that is told to go ends its process, which somebody starts again.
    void dismissed.then(({ message }) => {
      process.kill(message);
    });
  }
}

/** The bus as a process reaches it: the real consumer on the simulated cluster. */
function busOf(broker: SimulatedBroker, process: SimulatedProcess): Bus {
  return {
    consume: (consume) =>
      KafkaConsumer.open({
        newMember: broker.membersOf(process),
        admin: broker.adminOf(process),
        ...{ topic: TOPIC, epoch: EPOCH, groupId: consume.group, consume },
        ...{ network: process.network, logger: silent },
        random: () => process.surroundings.draws.unit(),
        ended: () => undefined,
      }),
    close: () => Promise.resolve(),
  };
}

/** What is kept besides the log, as a process reaches it. */
function portsOf(
  { keys, secrets, blobs, random }: EdgePorts,
  process: SimulatedProcess,
): EdgePorts {
  const call = <T>(what: string, act: () => Promise<T>): Promise<T> => process.call(what, act);
  return {
    keys: {
      seal: (...of) => call('seal', () => keys.seal(...of)),
      open: (...of) => call('open', () => keys.open(...of)),
      hmac: (...of) => call('hash', () => keys.hmac(...of)),
      destroy: (...of) => call('destroy keys', () => keys.destroy(...of)),
      forget: (...of) => {
        keys.forget(...of);
      },
      close: () => Promise.resolve(),
    },
    secrets: {
      put: (...of) => call('put a secret', () => secrets.put(...of)),
      get: (...of) => call('get a secret', () => secrets.get(...of)),
      destroy: (...of) => call('destroy a secret', () => secrets.destroy(...of)),
      close: () => Promise.resolve(),
    },
    blobs: {
      put: (...of) => call('put a blob', () => blobs.put(...of)),
      get: (...of) => call('get a blob', () => blobs.get(...of)),
    },
    random,
  };
}

/** Ends that a fault explains: the store or the bus was away, or another relay was quicker. */
function isExplained(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (isTransient(each)) return true;
    if (each instanceof RuntimeError && each.message.startsWith('another relay')) return true;
  }
  return false;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${textOf(error.cause)})`;
}
