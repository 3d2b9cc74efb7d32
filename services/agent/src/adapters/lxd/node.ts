/**
 * What an LXD daemon is and can, asked of it feature by feature: api_extensions, environment and
 * its own warnings, never a product's name or version. Incus answers the same questions.
 */
import { z } from 'zod';
import { DriverError, type NodeInventory } from '../../driver.ts';
import type { LxdClient } from './client.ts';
import { Pool, PoolResources, Profile, Resources, Server, Warning } from './wire.ts';

/** What every step needs; without one of these the driver serves nothing. */
const NEEDED = [
  'patch',
  'resources',
  'container_exec_recording',
  'container_nic_routed',
  'instances',
] as const;

/** Pools that can hold a root file system to a size by themselves. */
const QUOTA_POOLS = new Set(['btrfs', 'zfs', 'lvm', 'ceph']);

/** Feature, and the warning by which LXD says that the kernel lacks it. */
const BY_WARNING: readonly (readonly [string, RegExp])[] = [
  ['freeze', /CGroup freezer/i],
  ['limits.cpu', /CGroup cpu|CGroup CPU/],
  ['limits.memory', /CGroup memory controller/i],
  ['limits.processes', /CGroup pids/i],
  ['security.apparmor', /AppArmor support/i],
];

export interface LxdNode {
  readonly pool: string;
  readonly poolDriver: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly kernel: string;
}

/** @throws {DriverError} `not-possible` or `engine-unavailable`, naming what is missing. */
export async function detectNode(client: LxdClient, wanted: string | undefined): Promise<LxdNode> {
  const server = await client.get('/1.0', Server);
  if (server.auth !== 'trusted' || server.environment === undefined)
    throw new DriverError(
      'engine-unavailable',
      'LXD does not trust this agent; add its certificate to the daemon, or its user to the socket group.',
    );
  const missing = NEEDED.filter((extension) => !server.api_extensions.includes(extension));
  if (missing.length > 0)
    throw new DriverError(
      'not-possible',
      `This engine lacks the API extensions ${missing.join(', ')}; LXD 5.0 and Incus have them.`,
    );
  const pool = await findPool(client, wanted);
  const { server: engine, server_version, kernel, kernel_version } = server.environment;
  return {
    pool: pool.name,
    poolDriver: pool.driver,
    engine,
    engineVersion: server_version,
    kernel: `${kernel} ${kernel_version}`,
  };
}

export async function inventoryOf(client: LxdClient, node: LxdNode): Promise<NodeInventory> {
  const { cpu, memory } = await client.get('/1.0/resources', Resources);
  const path = `/1.0/storage-pools/${encodeURIComponent(node.pool)}/resources`;
  const { space } = await client.get(path, PoolResources);
  const warnings = await client.find('/1.0/warnings?recursion=1', z.array(Warning).nullable());
  const complaints = (warnings ?? []).filter((warning) => warning.status !== 'resolved');
  const features = BY_WARNING.filter(
    ([, pattern]) => !complaints.some((warning) => pattern.test(warning.type)),
  ).map(([feature]) => feature);
  if (QUOTA_POOLS.has(node.poolDriver)) features.push('disk.quota');
  // Part of the routed NIC, which is needed anyway.
  features.push('network.antispoof');
  return {
    engine: node.engine,
    engineVersion: node.engineVersion,
    kernel: node.kernel,
    cpuMillis: cpu.total * 1000,
    memoryBytes: BigInt(memory.total),
    diskBytes: BigInt(space.total),
    features: features.sort(),
  };
}

/** The pool named; else that of the default profile's root; else the only one. */
async function findPool(
  client: LxdClient,
  wanted: string | undefined,
): Promise<z.output<typeof Pool>> {
  const pools = await client.get('/1.0/storage-pools?recursion=1', z.array(Pool));
  const profile = await client.find('/1.0/profiles/default', Profile);
  const root = Object.values(profile?.devices ?? {}).find((device) => device['path'] === '/');
  const name = wanted ?? root?.['pool'] ?? (pools.length === 1 ? pools[0]?.name : undefined);
  const pool = pools.find((one) => one.name === name);
  if (pool !== undefined) return pool;
  const there = pools.map((one) => one.name).join(', ') || 'none';
  throw new DriverError(
    'not-possible',
    name === undefined
      ? `Name the storage pool to use with ?pool=; the node has ${there}.`
      : `The node has no storage pool ${name}; it has ${there}.`,
  );
}
