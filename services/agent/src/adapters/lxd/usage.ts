/**
 * What a container on LXD has used. The kernel's counters begin again with the container's cgroup, that
 * is with each start; those of a network interface also when the interface is replaced.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

import type { Counter, UsageReading } from '../../driver.ts';
import type { LxdClient } from './client.ts';
import { findOurs } from './instances.ts';
import { nameOf, ownerOf } from './names.ts';
import { InstanceInUse, UsageState } from './wire.ts';

/** Everything of ours in one request, or these alone. */
export async function readUsage(
  client: LxdClient,
  containerIds: readonly string[] | undefined,
): Promise<readonly UsageReading[]> {
  if (containerIds === undefined) {
    const all = await client.get('/1.0/instances?recursion=2', z.array(InstanceInUse));
    return all.flatMap(readingOf);
  }
  const readings = await Promise.all(
    containerIds.map(async (containerId) => {
      if ((await findOurs(client, containerId)) === undefined) return [];
      const path = `/1.0/instances/${nameOf(containerId)}`;
      const instance = await client.find(path, InstanceInUse);
      const state = await client.find(`${path}/state`, UsageState);
      return instance === undefined ? [] : readingOf({ ...instance, state });
    }),
  );
  return readings.flat();
}

/** Nothing of an instance that is not ours, or of which LXD says nothing just now. */
export function readingOf(instance: InstanceInUse): readonly UsageReading[] {
  const owner = ownerOf(instance);
  const { state } = instance;
  if (owner === undefined || state === null || state === undefined) return [];
  // LXD answers 0 for the pid of what does not run.
  const running = state.pid > 0;
  const boot = [String(owner.generation), String(state.pid), instance.last_used_at];
  // `lo` is traffic with itself.
  const nics = Object.entries(state.network ?? {}).filter(([name]) => name !== 'lo');
  const hosts = nics.map(([name, { host_name }]) => `${name}=${host_name}`).sort();
  const traffic = (of: 'bytes_received' | 'bytes_sent'): Counter | null => {
    if (!running || nics.length === 0) return null;
    const value = nics.reduce((sum, [, { counters }]) => sum + whole(counters[of]), 0n);
    return { epoch: labelOf([...boot, ...hosts]), value };
  };
  const cpu = state.cpu?.usage;
  const disk = state.disk?.['root']?.usage;
  return [
    {
      ...owner,
      cpuNanos:
        running && cpu !== undefined && cpu >= 0
          ? { epoch: labelOf(boot), value: whole(cpu) }
          : null,
      receivedBytes: traffic('bytes_received'),
      sentBytes: traffic('bytes_sent'),
      memoryBytes: whole(state.memory?.usage ?? 0),
      memoryPeakBytes: whole(state.memory?.usage_peak ?? 0),
      diskBytes: disk === undefined || disk < 0 ? null : whole(disk),
      processes: Math.max(0, state.processes),
    },
  ];
}

/** JSON numbers beyond 2^53 have lost their last bits: of nanoseconds that is nothing. */
function whole(value: number): bigint {
  return BigInt(Math.max(0, Math.trunc(value)));
}

function labelOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 16);
}
