/** For live tests: a real LXD to try things on, and a look inside its containers. */
import { createHash, randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { idFromUuid } from '@bivouac/events/values';
import { systemClock } from '../../driver-clock.ts';
import type { Driver, ImageSource, InstanceRef, NetworkAddress } from '../../driver.ts';
import { openLxdDriver } from '../driver.lxd.ts';
import { openLxdClient, type LxdClient } from './client.ts';
import { execIn } from './exec.ts';
import { nameOf } from './names.ts';

export const socketPath = '/var/lib/lxd/unix.socket';
export const MiB = 1024n * 1024n;

export const skel: ImageSource = {
  digest: createHash('sha256').update('bivouac live test skel').digest('hex'),
  name: 'skel',
  source: 'builtin:skel',
};

export const limits = {
  cpuMillis: 250,
  memoryBytes: 64n * MiB,
  diskBytes: 64n * MiB,
  processes: 40,
  cpuUnits: 1000,
};

/** TEST-NET-3 (RFC 5737): routed nowhere else, and outside of every bridge. */
export function addresses(from: number, count = 1): readonly NetworkAddress[] {
  return Array.from({ length: count }, (_, n) => ({
    address: `203.0.113.${from + n}`,
    family: 'ipv4',
  }));
}

/** Why there is no LXD to test on, in a sentence; undefined where there is one. */
export async function whyNoLxd(): Promise<string | undefined> {
  try {
    await access(socketPath);
    await openLxd().inventory();
    return undefined;
  } catch (error) {
    return `LXD cannot be tried at ${socketPath} (${String(error)}); start it with infra/dev/up lxd.`;
  }
}

export function openLxd(path: string = socketPath): Driver {
  return openLxdDriver({ endpoint: { kind: 'unix', socketPath: path } });
}

export function lxdClient(): LxdClient {
  return openLxdClient({ kind: 'unix', socketPath }, systemClock);
}

export function newRef(): InstanceRef {
  const id = randomUUID();
  return { containerId: idFromUuid('container', id), generation: 1, instructionId: `ins-${id}` };
}

/** Runs a fixed program inside; its exit status and output. */
export async function inside(
  ref: InstanceRef,
  ...command: readonly string[]
): Promise<{ readonly status: number; readonly output: string }> {
  const ran = await execIn(lxdClient(), nameOf(ref.containerId), command);
  if (ran === undefined) throw new Error(`The guest has no ${command[0]}.`);
  return ran;
}
