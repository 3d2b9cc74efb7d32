/**
 * What containers of a fake node use: rates drawn from the container's id, counted over the time that
 * it has run. The same history gives the same counters, also after a restart of the agent.
 */
import { createHash } from 'node:crypto';

import type { Counter, UsageReading } from '../../driver.ts';
import type { FakeInstance } from './state.ts';

type Meter = NonNullable<FakeInstance['meter']>;

/** Its counters begin again from zero. */
export function startedMeter(instance: FakeInstance, now: number): Meter {
  return { boot: (instance.meter?.boot ?? 0) + 1, ranMs: 0, since: now };
}

/** It stands still: what it has counted stays. */
export function pausedMeter({ meter }: FakeInstance, now: number): Meter | undefined {
  return meter && { ...meter, ranMs: ranFor(meter, now), since: null };
}

export function resumedMeter({ meter }: FakeInstance, now: number): Meter | undefined {
  return meter && { ...meter, since: now };
}

export function usageOf(instance: FakeInstance, now: number): UsageReading {
  const { containerId, generation, limits, meter, state } = instance;
  const draw = createHash('sha256').update(containerId).digest();
  const share = (at: number, least: bigint, most: bigint): bigint =>
    least + (BigInt(draw.readUInt32BE(at)) * (most - least)) / 2n ** 32n;
  const ran = meter === undefined ? 0n : BigInt(Math.floor(ranFor(meter, now)));
  const running = state !== 'stopped' && meter !== undefined;
  const counter = (perMs: bigint): Counter | null =>
    running ? { epoch: `${generation}.${meter.boot}`, value: ran * perMs } : null;
  const memory = running ? (limits.memoryBytes * share(12, 5n, 60n)) / 100n : 0n;
  return {
    containerId,
    generation,
    cpuNanos: counter(share(0, 1_000n, BigInt(limits.cpuMillis) * 500n + 1_001n)),
    receivedBytes: counter(share(4, 1n, 500n)),
    sentBytes: counter(share(8, 1n, 500n)),
    memoryBytes: memory,
    memoryPeakBytes: (memory * 11n) / 10n,
    diskBytes: (limits.diskBytes * share(16, 2n, 40n)) / 100n,
    processes: running ? Number(share(20, 4n, 40n)) : 0,
  };
}

/** A clock set back takes nothing away. */
function ranFor({ ranMs, since }: Meter, now: number): number {
  return since === null ? ranMs : ranMs + Math.max(0, now - since);
}
