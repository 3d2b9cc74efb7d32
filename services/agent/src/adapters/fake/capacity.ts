/** A fake node that can be full: what it has, and the refusal of what does not fit. */
import type { DriverStep } from '../../driver-steps.ts';
import { DriverError } from '../../driver.ts';
import type { FakeInstance } from './state.ts';

/** What of a node is finite; what is absent is endless. */
export interface FakeCapacity {
  readonly containers?: number | undefined;
  readonly memoryBytes?: bigint | undefined;
  readonly diskBytes?: bigint | undefined;
}

/** @throws {DriverError} `not-possible` where the node with `wanted` would hold more than it has. */
export function hasRoom(
  step: DriverStep,
  wanted: FakeInstance,
  present: ReadonlyMap<string, FakeInstance>,
  capacity: FakeCapacity | undefined,
): void {
  if (capacity === undefined) return;
  const after = new Map(present).set(wanted.containerId, wanted);
  const total = (of: (one: FakeInstance) => bigint): bigint =>
    [...after.values()].reduce((sum, one) => sum + of(one), 0n);
  const limits = [
    ['containers', capacity.containers, () => after.size],
    ['bytes of memory', capacity.memoryBytes, () => total((one) => one.limits.memoryBytes)],
    ['bytes of disk', capacity.diskBytes, () => total((one) => one.limits.diskBytes)],
  ] as const;
  for (const [unit, limit, used] of limits) {
    if (limit === undefined || used() <= limit) continue;
    const message = `${step} of ${wanted.containerId}: the node has ${limit} ${unit} and no more.`;
    throw new DriverError('not-possible', message);
  }
}
