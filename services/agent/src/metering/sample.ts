/** A sample: what the engine's counters stood at, as it is kept in the agent's files. */
import { z } from 'zod';

import type { UsageReading } from '../driver.ts';

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** How far apart samples were meant to be, in milliseconds. */
  readonly spacingMs: number;
  /** Whose: null is everything on the node. Who is asked for and not in `readings` is not there. */
  readonly asked: readonly string[] | null;
  readonly readings: readonly UsageReading[];
}

export const Amount = z.codec(z.string().regex(/^\d+$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (amount) => amount.toString(),
});

const CounterSchema = z.object({ epoch: z.string().max(64), value: Amount }).nullable();

export const ReadingSchema = z.object({
  containerId: z.string(),
  generation: z.number(),
  cpuNanos: CounterSchema,
  receivedBytes: CounterSchema,
  sentBytes: CounterSchema,
  memoryBytes: Amount,
  memoryPeakBytes: Amount,
  diskBytes: Amount.nullable(),
  processes: z.number(),
});

export const SampleSchema = z.object({
  at: z.number(),
  spacingMs: z.number(),
  asked: z.array(z.string()).nullable(),
  readings: z.array(ReadingSchema),
});

/** As JSON: amounts as decimal text. */
export function encodeSample(sample: Sample): z.input<typeof SampleSchema> {
  const { at, spacingMs, asked, readings } = sample;
  return z.encode(SampleSchema, {
    at,
    spacingMs,
    asked: asked === null ? null : [...asked],
    readings: [...readings],
  });
}
