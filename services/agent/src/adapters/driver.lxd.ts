/**
 * Containers on LXD (and on engines with its API). Every step is asked of the daemon's REST
 * interface, awaited, and on any doubt answered by looking at what is there.
 */
import { systemClock, type Clock } from '../driver-clock.ts';
import { checkInput } from '../driver-input.ts';
import { planCreate, planStep } from '../driver-steps.ts';
import {
  DriverError,
  type ContainerLimits,
  type Driver,
  type ImageSource,
  type InstanceRef,
  type NetworkConfig,
} from '../driver.ts';
import { LxdRefusal, openLxdClient } from './lxd/client.ts';
import { configure, fits, setRootSize } from './lxd/configure.ts';
import { holds, syncGuest } from './lxd/guest-network.ts';
import { findImage, prepareImage } from './lxd/images.ts';
import { absent, findOurs, isWhole, listOurs, observed, settle, stateOf } from './lxd/instances.ts';
import { rootSizeOf, toSettings } from './lxd/limits.ts';
import { aliasOf, keys, nameOf } from './lxd/names.ts';
import { hostnameConfig, NIC, nicOf } from './lxd/network.ts';
import { detectNode, inventoryOf, type LxdNode } from './lxd/node.ts';
import { rpmPackages } from './lxd/packages.ts';
import { keepReserve } from './lxd/reserve.ts';
import { transactIn } from './lxd/transaction.ts';
import type { LxdEndpoint } from './lxd/transport.ts';
import { readUsage } from './lxd/usage.ts';
import type { Instance } from './lxd/wire.ts';

export interface LxdDriverOptions {
  readonly endpoint: LxdEndpoint;
  readonly clock?: Clock;
  /** The storage pool for root file systems. Default: the default profile's, or the only one. */
  readonly pool?: string;
  /** The uplink on which the node answers ARP and NDP for its containers. Default: none. */
  readonly parent?: string;
  /** The static busybox that `builtin:skel` is made of. Default: Debian's busybox-static. */
  readonly busybox?: string;
}

type StateStep = 'start' | 'stop' | 'freeze' | 'thaw' | 'destroy';
interface CreateSpec {
  readonly image: ImageSource;
  readonly limits: ContainerLimits;
  readonly network: NetworkConfig;
}
type Action = 'start' | 'stop' | 'freeze' | 'unfreeze';

/** The daemon is asked at the first step, so that an agent can start before its engine. */
export function openLxdDriver(options: LxdDriverOptions): Driver {
  const client = openLxdClient(options.endpoint, options.clock ?? systemClock);
  let detected: Promise<LxdNode> | undefined;
  const creating = new Map<string, Promise<void>>();

  function node(): Promise<LxdNode> {
    detected ??= detectNode(client, options.pool).catch((error: unknown) => {
      detected = undefined;
      throw error;
    });
    return detected;
  }

  async function act(name: string, action: Action, timeout: number, force = false): Promise<void> {
    // -1 is LXD's "as long as it takes"; the operation's own deadline is ours.
    const path = `/1.0/instances/${name}/state`;
    const body = { action, timeout, force };
    await client.change('PUT', path, body, { deadlineMs: (Math.max(timeout, 0) + 120) * 1000 });
  }

  /** One attempt; when it fails, what is there decides: done after all, or the failure stands. */
  async function toState(
    step: StateStep,
    { containerId }: InstanceRef,
    attempt: (instance: Instance) => Promise<void>,
  ): Promise<void> {
    const toDo = async (): Promise<Instance | undefined> => {
      const instance = await findOurs(client, containerId);
      const state = instance === undefined ? 'absent' : stateOf(instance);
      return planStep(step, containerId, state) === 'done' ? undefined : instance;
    };
    const instance = await toDo();
    if (instance === undefined) return;
    try {
      await attempt(instance);
    } catch (error) {
      await settle(client, instance.name);
      if ((await toDo()) !== undefined) throw error;
    }
  }

  /** Stops it by force and deletes it. */
  async function remove(name: string): Promise<void> {
    await settle(client, name);
    // LXD deletes only what stands still; refused where it does already.
    await act(name, 'stop', -1, true).catch((error: unknown) => {
      if (!(error instanceof LxdRefusal)) throw error;
    });
    await client.change('DELETE', `/1.0/instances/${name}`);
  }

  /** Of one container one after the other: what another call is making looks like what a dead daemon left. */
  async function create(ref: InstanceRef, spec: CreateSpec): Promise<void> {
    const before = creating.get(ref.containerId);
    const mine = (before ?? Promise.resolve()).then(() => createNow(ref, spec));
    const over = mine.catch(() => undefined);
    creating.set(ref.containerId, over);
    try {
      await mine;
    } finally {
      if (creating.get(ref.containerId) === over) creating.delete(ref.containerId);
    }
  }

  async function createNow(
    { containerId, generation, instructionId }: InstanceRef,
    spec: CreateSpec,
  ): Promise<void> {
    const name = nameOf(containerId);
    const { pool } = await node();
    const isDone = async (): Promise<boolean> => {
      await settle(client, name);
      const instance = await findOurs(client, containerId);
      const existing = instance === undefined ? undefined : observed(instance);
      return planCreate(containerId, generation, existing) === 'done';
    };
    if (await isDone()) {
      if (await isWhole(client, containerId)) return keepReserve(client, name);
      await remove(name);
    }
    const image = await findImage(client, spec.image.digest);
    if (image === undefined)
      throw new DriverError(
        'image-unavailable',
        `create: image ${spec.image.digest} is not on this node; prepare it first.`,
      );
    const { config, disk } = toSettings(spec.limits);
    try {
      // All in one request: there is no moment at which it exists without its limits.
      await client.change('POST', '/1.0/instances', {
        name,
        type: 'container',
        source: { type: 'image', alias: aliasOf(spec.image.digest) },
        profiles: [],
        config: {
          ...config,
          ...disk.config,
          'raw.lxc': hostnameConfig(spec.network),
          [keys.container]: containerId,
          [keys.generation]: String(generation),
          [keys.instruction]: instructionId,
          [keys.image]: spec.image.digest,
          [keys.imageBytes]: String(image.bytes),
          [keys.hostname]: spec.network.hostname,
        },
        devices: {
          root: { type: 'disk', path: '/', pool, size: disk.size },
          [NIC]: nicOf(spec.network, options.parent),
        },
      });
    } catch (error) {
      if (!(await isDone())) throw error;
    }
    await keepReserve(client, name);
  }

  async function applyLimits(ref: InstanceRef, limits: ContainerLimits): Promise<void> {
    const { containerId } = ref;
    const instance = await findOurs(client, containerId);
    planStep('applyLimits', containerId, instance === undefined ? 'absent' : stateOf(instance));
    if (instance === undefined) return;
    const { config, disk } = toSettings(limits);
    const { asked, size } = rootSizeOf(instance);
    const setDisk = (): Promise<void> => setRootSize(client, instance, disk);
    // A full one takes no change but a raised quota, so that comes first; lowering comes last.
    const lower = size !== undefined && size > limits.diskBytes;
    const fit = !lower || (await fits(client, instance, limits.diskBytes));
    // A loan is left to whoever still needs it; any other cut below what is used is refused.
    if (asked !== limits.diskBytes && fit !== true) throw fit;
    if (!lower) await setDisk();
    await configure(client, instance, { ...config, [keys.instruction]: ref.instructionId });
    if (lower && fit === true) await setDisk();
    await keepReserve(client, instance.name);
  }

  async function configureNetwork(ref: InstanceRef, network: NetworkConfig): Promise<void> {
    const { containerId } = ref;
    const instance = await findOurs(client, containerId);
    const state = instance === undefined ? 'absent' : stateOf(instance);
    planStep('configureNetwork', containerId, state);
    if (instance === undefined) return;
    const { name, devices, config } = instance;
    const nic = nicOf(network, options.parent);
    const hostname = hostnameConfig(network);
    // Asked for again, the NIC stays: replacing it drops the guest's packets for a moment.
    const same = JSON.stringify(sorted(devices[NIC])) === JSON.stringify(sorted(nic));
    if (!same || config['raw.lxc'] !== hostname) {
      await configure(client, instance, {
        'raw.lxc': hostname,
        [keys.hostname]: network.hostname,
        [keys.instruction]: ref.instructionId,
      });
      if (!same)
        await client.change('PATCH', `/1.0/instances/${name}`, { devices: { [NIC]: nic } });
    }
    if (state !== 'running') return;
    const renamed = config[keys.hostname] !== network.hostname;
    if (renamed || !(await holds(client, name, network))) await syncGuest(client, name, network);
  }

  return {
    async inventory() {
      return inventoryOf(client, await node());
    },
    async prepareImage(image) {
      checkInput('prepareImage', { image });
      await node();
      await prepareImage(client, image, options.busybox ?? '/bin/busybox');
    },
    async create(ref, spec) {
      checkInput('create', { ref, ...spec });
      await create(ref, spec);
    },
    async applyLimits(ref, limits) {
      checkInput('applyLimits', { ref, limits });
      await applyLimits(ref, limits);
    },
    async configureNetwork(ref, network) {
      checkInput('configureNetwork', { ref, network });
      await configureNetwork(ref, network);
    },
    async start(ref) {
      checkInput('start', { ref });
      await toState('start', ref, async (instance) => {
        // Finds out whether it is full, and makes room. A start that fails for that on LXD 5.0.2
        // leaves its NIC and route on the host, and nobody can have those addresses again.
        await configure(client, instance, { [keys.instruction]: ref.instructionId });
        await act(instance.name, 'start', -1);
      });
    },
    async stop(ref, graceSeconds) {
      checkInput('stop', { ref, graceSeconds });
      await toState('stop', ref, async (instance) => {
        const { name } = instance;
        // A frozen init hears no signal.
        if (stateOf(instance) === 'frozen') await act(name, 'unfreeze', -1);
        const grace = Math.ceil(graceSeconds);
        try {
          if (grace > 0) return await act(name, 'stop', grace);
        } catch (error) {
          // It did not halt in time, or cannot: an init may ignore the signal.
          if (!(error instanceof LxdRefusal)) throw error;
        }
        await act(name, 'stop', -1, true);
      });
    },
    async freeze(ref) {
      checkInput('freeze', { ref });
      await toState('freeze', ref, ({ name }) => act(name, 'freeze', -1));
    },
    async thaw(ref) {
      checkInput('thaw', { ref });
      await toState('thaw', ref, ({ name }) => act(name, 'unfreeze', -1));
    },
    async destroy(ref) {
      checkInput('destroy', { ref });
      await toState('destroy', ref, ({ name }) => remove(name));
    },
    async observe(containerId) {
      checkInput('observe', { containerId });
      const instance = await findOurs(client, containerId);
      return instance === undefined ? absent(containerId) : observed(instance);
    },
    list: () => listOurs(client),
    async usage(containerIds) {
      for (const containerId of containerIds ?? []) checkInput('usage', { containerId });
      return readUsage(client, containerIds);
    },
    async packages(containerId) {
      checkInput('packages', { containerId });
      const instance = await findOurs(client, containerId);
      const state = instance === undefined ? 'absent' : stateOf(instance);
      if (state === 'absent')
        throw new DriverError(
          'instance-missing',
          `packages: there is no container ${containerId} on this node.`,
        );
      if (state !== 'running')
        throw new DriverError(
          'engine-failed',
          `packages: container ${containerId} is ${state}; its rpm can be asked only while it runs.`,
        );
      return rpmPackages(client, nameOf(containerId));
    },
    async transact(ref, transaction, files) {
      checkInput('transact', { ref, transaction });
      const { containerId } = ref;
      const instance = await findOurs(client, containerId);
      planStep('transact', containerId, instance === undefined ? 'absent' : stateOf(instance));
      const name = nameOf(containerId);
      // An rpm of a try before may still be at work.
      await settle(client, name);
      return transactIn(client, name, transaction, files);
    },
    close: () => Promise.resolve(),
  };
}

function sorted(device: Readonly<Record<string, string>> | undefined): [string, string][] {
  return Object.entries(device ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
