/**
 * Our limits in LXD's words and back. Memory, processes, disk and CPU time are enforced by the
 * kernel; cpuUnits only approximately, see {@link priorityOf}.
 */
import type { ContainerLimits } from '../../driver.ts';
import { keys } from './names.ts';
import type { Instance } from './wire.ts';

export interface LimitSettings {
  readonly config: Readonly<Record<string, string>>;
  /** The limit and the `size` of the root disk device, which are set in one request. */
  readonly disk: { readonly config: Readonly<Record<string, string>>; readonly size: string };
}

export function toSettings(limits: ContainerLimits): LimitSettings {
  const { cpuMillis, memoryBytes, diskBytes, processes, cpuUnits } = limits;
  return {
    config: {
      // How many CPUs it sees; the allowance below is what it may use of them.
      'limits.cpu': String(Math.ceil(cpuMillis / 1000)),
      'limits.cpu.allowance': allowanceOf(cpuMillis),
      'limits.cpu.priority': String(priorityOf(cpuUnits)),
      'limits.memory': `${memoryBytes}B`,
      'limits.processes': String(processes),
      [keys.cpuUnits]: String(cpuUnits),
    },
    disk: { config: { [keys.diskBytes]: String(diskBytes) }, size: `${diskBytes}B` },
  };
}

/** Null where the instance's settings are not of our making. */
export function fromSettings(instance: Instance): ContainerLimits | null {
  const { config } = instance;
  const cpuMillis = millisOf(config['limits.cpu.allowance'] ?? '');
  const memoryBytes = bytesOf(config['limits.memory'] ?? '');
  const { asked, size } = rootSizeOf(instance);
  const lent = asked !== undefined && size !== undefined && size >= asked;
  const diskBytes = lent && size <= asked + DISK_RESERVE ? asked : size;
  const processes = Number(config['limits.processes']);
  const cpuUnits = Number(config[keys.cpuUnits]);
  if (cpuMillis === undefined || memoryBytes === undefined || diskBytes === undefined) return null;
  if (!Number.isInteger(processes) || !Number.isInteger(cpuUnits)) return null;
  return { cpuMillis, memoryBytes, diskBytes, processes, cpuUnits };
}

/** The most that a full container's quota is raised above its limit so that it can be managed. */
export const DISK_RESERVE = 64n * 1024n * 1024n;

/** The disk limit that was asked for, and the quota that stands, which may have a loan in it. */
export function rootSizeOf({ config, devices }: Instance): {
  readonly asked: bigint | undefined;
  readonly size: bigint | undefined;
} {
  return {
    asked: bytesOf(`${config[keys.diskBytes] ?? ''}B`),
    size: bytesOf(devices['root']?.['size'] ?? ''),
  };
}

/**
 * OpenVZ's cpuunits (8 to 500000, default 1000) as LXD's priority (0 to 10), by logarithm: 8 is 0,
 * 1000 is 4, 500000 is 10. Fidelity: approximate. LXD knows eleven steps and its scheduler weight
 * moves little between them, so 1:2 in units is not 1:2 in CPU time; the figure asked for is kept
 * beside it and given back when observed.
 */
export function priorityOf(cpuUnits: number): number {
  return Math.round((10 * Math.log(cpuUnits / 8)) / Math.log(500_000 / 8));
}

/**
 * LXD takes whole milliseconds of a period. 100 ms is the kernel's own; a longer one only where
 * the share is no whole millisecond of it.
 */
function allowanceOf(cpuMillis: number): string {
  const period = [100, 200, 500, 1000].find((ms) => (cpuMillis * ms) % 1000 === 0) ?? 1000;
  return `${(cpuMillis * period) / 1000}ms/${period}ms`;
}

function millisOf(allowance: string): number | undefined {
  const match = /^(\d+)ms\/(\d+)ms$/.exec(allowance);
  return match === null ? undefined : (Number(match[1]) * 1000) / Number(match[2]);
}

function bytesOf(size: string): bigint | undefined {
  const digits = /^(\d+)B$/.exec(size)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}
