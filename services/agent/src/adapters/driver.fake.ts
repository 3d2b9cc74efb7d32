/**
 * A container engine that is a file: it keeps its promises across restarts, and breaks them exactly
 * as told (slow, failing, losing replies, crashing, full), so that everything above can be tested.
 */
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { systemClock, type Clock } from '../driver-clock.ts';
import { checkInput } from '../driver-input.ts';
import type { JournalDisk } from '../fence/journal-disk.ts';
import { planCreate, planStep, type DriverStep } from '../driver-steps.ts';
import {
  DriverError,
  type Driver,
  type ImageSource,
  type InstalledPackage,
  type NodeInventory,
  type ObservedInstance,
} from '../driver.ts';
import { unreadable } from '../system-code.ts';
import { reportOf } from '../transaction.ts';
import { hasRoom, type FakeCapacity } from './fake/capacity.ts';
import { noFaults, type FaultPlan } from './fake/faults.ts';
import { transacted } from './fake/packages.ts';
import { openFakeState, type FakeInstance } from './fake/state.ts';
import { pausedMeter, resumedMeter, startedMeter, usageOf } from './fake/usage.ts';

export interface FakeDriverOptions {
  /** The node's own folder; made when absent. One open driver per folder. */
  readonly folder: string;
  readonly clock?: Clock;
  /** Where the folder is. Default: the machine's disk. */
  readonly disk?: JournalDisk | undefined;
  /** What its containers' counters go by, in milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
  /** How long each step takes before its effect, in milliseconds. Default 0. */
  readonly latencyMs?: (step: DriverStep) => number;
  readonly faults?: FaultPlan;
  /**
   * Called where a crash is due; it should end the process. If it returns, the driver plays dead:
   * the call in hand and all later ones fail with `engine-unavailable` until it is opened anew.
   */
  readonly crash?: () => void;
  /** What of the node is finite; absent = endless. More is refused with `not-possible`. */
  readonly capacity?: FakeCapacity;
  /** The RPM database of an image, by digest. Default: none has one. */
  readonly inventories?: (digest: string) => readonly InstalledPackage[];
}

/** What an endless node says it has. */
const SIZE = { cpuMillis: 1_024_000, memoryBytes: 1n << 44n, diskBytes: 1n << 50n };

const UNWRITABLE = 'The fake engine cannot write its state; mend the disk and open it again.';

export async function openFakeDriver(options: FakeDriverOptions): Promise<Driver> {
  const clock = options.clock ?? systemClock;
  const now = options.now ?? (() => clock.now());
  const faults = options.faults ?? noFaults;
  const state = await openFakeState(options.folder, options.disk);
  const attempts = new Map<string, number>();
  let dead: string | undefined;

  function alive(): void {
    if (dead !== undefined) throw new DriverError('engine-unavailable', dead);
  }

  function crash(): never {
    dead = 'The fake engine has crashed; open it again.';
    options.crash?.();
    throw new DriverError('engine-unavailable', dead);
  }

  /** Nothing is told of an effect that may still be lost. */
  async function readable(): Promise<void> {
    alive();
    await state.settled().catch((cause: unknown) => {
      throw new DriverError('engine-unavailable', UNWRITABLE, { cause });
    });
  }

  /** Takes one step: its latency, the fault due, its effect, made durable. */
  async function take(
    step: DriverStep,
    subject: string,
    effect: () => Promise<void>,
  ): Promise<void> {
    alive();
    const ms = options.latencyMs?.(step) ?? 0;
    if (ms > 0) await clock.sleep(ms);
    alive();
    let fault;
    if (faults !== noFaults) {
      const attempt = (attempts.get(`${step} ${subject}`) ?? 0) + 1;
      attempts.set(`${step} ${subject}`, attempt);
      fault = faults({ step, subject, attempt, boot: state.boot });
    }
    const what = `${step} of ${subject}`;
    if (fault === 'crash-before') crash();
    if (fault === 'fail')
      throw new DriverError('engine-unavailable', `${what}: the fake engine is away.`);
    if (fault === 'refuse')
      throw new DriverError('engine-failed', `${what}: the fake engine was told to fail it.`);
    try {
      await effect();
      // An effect that found all done already may rest on one still being written.
      await state.settled();
    } catch (error) {
      if (error instanceof DriverError) throw error;
      dead = UNWRITABLE;
      throw new DriverError('outcome-unknown', `${what}: ${UNWRITABLE}`, { cause: error });
    }
    alive();
    if (fault === 'crash-after') crash();
    if (fault === 'lose')
      throw new DriverError('outcome-unknown', `${what}: the fake engine's reply was lost.`);
  }

  function installedIn(containerId: string): readonly InstalledPackage[] {
    const instance = state.instances.get(containerId);
    if (instance === undefined)
      throw new DriverError(
        'instance-missing',
        `packages: there is no container ${containerId} on this node.`,
      );
    return instance.packages ?? options.inventories?.(instance.digest) ?? [];
  }

  /** A step on one instance, done when its state allows and asks for it. */
  function change(
    step: Exclude<DriverStep, 'prepareImage' | 'create'>,
    containerId: string,
    next: (instance: FakeInstance) => FakeInstance | 'gone',
  ): Promise<void> {
    return take(step, containerId, async () => {
      const instance = state.instances.get(containerId);
      if (planStep(step, containerId, instance?.state ?? 'absent') === 'done' || !instance) return;
      const changed = next(instance);
      if (changed === 'gone') return state.remove(containerId);
      if (step === 'applyLimits') hasRoom(step, changed, state.instances, options.capacity);
      await state.put(changed);
    });
  }

  const driver: Driver = {
    async inventory(): Promise<NodeInventory> {
      alive();
      return {
        engine: 'fake',
        engineVersion: '1',
        kernel: 'none',
        cpuMillis: SIZE.cpuMillis,
        memoryBytes: options.capacity?.memoryBytes ?? SIZE.memoryBytes,
        diskBytes: options.capacity?.diskBytes ?? SIZE.diskBytes,
        features: [
          'disk.quota',
          'freeze',
          'limits.cpu',
          'limits.memory',
          'limits.processes',
          'network.antispoof',
        ],
      };
    },
    async prepareImage(image) {
      checkInput('prepareImage', { image });
      await take('prepareImage', image.digest, async () => {
        if (state.images.has(image.digest)) return;
        await imageExists(image);
        await state.addImage(image.digest);
      });
    },
    async create(ref, { image, limits, network }) {
      checkInput('create', { ref, image, limits, network });
      const { containerId, generation } = ref;
      await take('create', containerId, async () => {
        const existing = state.instances.get(containerId);
        if (planCreate(containerId, generation, existing) === 'done') return;
        if (!state.images.has(image.digest))
          throw new DriverError(
            'image-unavailable',
            `create: image ${image.digest} is not on this node; prepare it first.`,
          );
        const instance: FakeInstance = {
          containerId,
          generation,
          state: 'stopped',
          digest: image.digest,
          limits: { ...limits },
          network: { hostname: network.hostname, addresses: [...network.addresses] },
        };
        hasRoom('create', instance, state.instances, options.capacity);
        await state.put(instance);
      });
    },
    async applyLimits(ref, limits) {
      checkInput('applyLimits', { ref, limits });
      await change('applyLimits', ref.containerId, (one) => ({ ...one, limits: { ...limits } }));
    },
    async configureNetwork(ref, network) {
      checkInput('configureNetwork', { ref, network });
      const { hostname, addresses } = network;
      await change('configureNetwork', ref.containerId, (one) => ({
        ...one,
        network: { hostname, addresses: [...addresses] },
      }));
    },
    async start(ref) {
      checkInput('start', { ref });
      await change('start', ref.containerId, (one) => ({
        ...one,
        state: 'running',
        meter: startedMeter(one, now()),
      }));
    },
    async stop(ref, graceSeconds) {
      checkInput('stop', { ref, graceSeconds });
      await change('stop', ref.containerId, (one) => ({
        ...one,
        state: 'stopped',
        meter: pausedMeter(one, now()),
      }));
    },
    async freeze(ref) {
      checkInput('freeze', { ref });
      await change('freeze', ref.containerId, (one) => ({
        ...one,
        state: 'frozen',
        meter: pausedMeter(one, now()),
      }));
    },
    async thaw(ref) {
      checkInput('thaw', { ref });
      await change('thaw', ref.containerId, (one) => ({
        ...one,
        state: 'running',
        meter: resumedMeter(one, now()),
      }));
    },
    async destroy(ref) {
      checkInput('destroy', { ref });
      await change('destroy', ref.containerId, () => 'gone');
    },
    async observe(containerId) {
      checkInput('observe', { containerId });
      await readable();
      const instance = state.instances.get(containerId);
      return instance === undefined
        ? { containerId, generation: 0, state: 'absent', addresses: [], limits: null }
        : observed(instance);
    },
    async list() {
      await readable();
      return [...state.instances.values()].map(observed);
    },
    async usage(containerIds) {
      for (const containerId of containerIds ?? []) checkInput('usage', { containerId });
      await readable();
      const at = now();
      const wanted = containerIds ?? [...state.instances.keys()];
      return wanted.flatMap((containerId) => {
        const instance = state.instances.get(containerId);
        return instance === undefined ? [] : [usageOf(instance, at)];
      });
    },
    async packages(containerId) {
      checkInput('packages', { containerId });
      await readable();
      return installedIn(containerId);
    },
    async transact(ref, transaction, files) {
      checkInput('transact', { ref, transaction });
      const { containerId } = ref;
      const before = installedIn(containerId);
      await change('transact', containerId, (one) => {
        const packages = transacted(transaction, installedIn(containerId), files);
        return { ...one, packages: [...packages] };
      });
      return reportOf(transaction, before, installedIn(containerId), {
        configFiles: [],
        output: '',
      });
    },
    async close() {
      dead ??= 'The fake engine was closed.';
      await state.close();
    },
  };
  return driver;
}

function observed(instance: FakeInstance): ObservedInstance {
  const { containerId, generation, state, limits, network } = instance;
  const addresses = network.addresses.map((one) => one.address);
  return { containerId, generation, state, addresses, limits };
}

/** It never reads the content, but what is not there cannot be had here either. */
async function imageExists(image: ImageSource): Promise<void> {
  if (image.source === 'builtin:skel') return;
  try {
    await access(fileURLToPath(image.source));
  } catch (cause) {
    throw new DriverError(
      'image-unavailable',
      `prepareImage: the content of image ${image.digest} is not to be had: ${unreadable(cause)}.`,
      { cause },
    );
  }
}
