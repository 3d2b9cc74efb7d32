/** What fits on a node: memory, disk and the number of containers never more than there is, CPU times its ratio. */
import type { NodeCapacity } from '@bivouac/events/containers';
import type { Axis, ResourceVector } from '@bivouac/events/values';

/** The axes a node accounts; addresses are the pools' business. */
export const nodeAxes = ['containers', 'cpuMillis', 'memoryBytes', 'diskBytes'] as const;
type NodeAxis = (typeof nodeAxes)[number] & Axis;

/** Amounts by axis, as numbers that add exactly. */
export type Amounts = Record<NodeAxis, bigint>;

export const noAmounts: Readonly<Amounts> = {
  containers: 0n,
  cpuMillis: 0n,
  memoryBytes: 0n,
  diskBytes: 0n,
};

/** What may be promised of a capacity. */
export function promisable(capacity: NodeCapacity, cpuOvercommitPercent: number): Amounts {
  return {
    containers: BigInt(capacity.containers),
    cpuMillis: (BigInt(capacity.cpuMillis) * BigInt(cpuOvercommitPercent)) / 100n,
    memoryBytes: BigInt(capacity.memoryBytes),
    diskBytes: BigInt(capacity.diskBytes),
  };
}

export function amountsOf(vector: ResourceVector): Amounts {
  return {
    containers: BigInt(vector.containers),
    cpuMillis: BigInt(vector.cpuMillis),
    memoryBytes: BigInt(vector.memoryBytes),
    diskBytes: BigInt(vector.diskBytes),
  };
}

export function plus(a: Readonly<Amounts>, b: Readonly<Amounts>): Amounts {
  return {
    containers: a.containers + b.containers,
    cpuMillis: a.cpuMillis + b.cpuMillis,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    diskBytes: a.diskBytes + b.diskBytes,
  };
}

export function minus(a: Readonly<Amounts>, b: Readonly<Amounts>): Amounts {
  return {
    containers: a.containers - b.containers,
    cpuMillis: a.cpuMillis - b.cpuMillis,
    memoryBytes: a.memoryBytes - b.memoryBytes,
    diskBytes: a.diskBytes - b.diskBytes,
  };
}

/** Whether all of `asked` is free. What is not asked for is not missed, even where it is short. */
export function fits(free: Readonly<Amounts>, asked: Readonly<Amounts>): boolean {
  return nodeAxes.every((axis) => asked[axis] === 0n || asked[axis] <= free[axis]);
}

/** On the wire. */
export function vectorOf(amounts: Readonly<Amounts>): ResourceVector {
  return {
    containers: Number(amounts.containers),
    cpuMillis: Number(amounts.cpuMillis),
    memoryBytes: amounts.memoryBytes.toString(),
    diskBytes: amounts.diskBytes.toString(),
    addresses: 0,
  };
}

/** The larger amount of each axis. */
export function larger(a: Readonly<Amounts>, b: Readonly<Amounts>): Amounts {
  const most = (x: bigint, y: bigint): bigint => (x > y ? x : y);
  return {
    containers: most(a.containers, b.containers),
    cpuMillis: most(a.cpuMillis, b.cpuMillis),
    memoryBytes: most(a.memoryBytes, b.memoryBytes),
    diskBytes: most(a.diskBytes, b.diskBytes),
  };
}
