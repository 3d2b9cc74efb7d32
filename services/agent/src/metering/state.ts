/** The meter's state as JSON: each file of samples begins with it, so that earlier ones may go. */
import { z } from 'zod';

import type { MeterState } from './meter.ts';
import { Amount, ReadingSchema } from './sample.ts';

const CountedSchema = z.object({
  used: Amount,
  first: Amount,
  last: Amount,
  restarts: z.number(),
});

const UseSchema = z.object({
  from: z.number(),
  to: z.number(),
  gapMs: z.number(),
  memoryPeakBytes: Amount,
  processesPeak: z.number(),
  diskBytes: Amount.nullable(),
  cpuNanos: CountedSchema,
  receivedBytes: CountedSchema,
  sentBytes: CountedSchema,
});

const HourSchema = z.object({
  samples: z.number(),
  digest: z.string(),
  uses: z.array(z.tuple([z.string(), UseSchema])),
});

export const StateSchema = z.object({
  wholeAt: z.number().nullable(),
  last: z.array(
    z.tuple([z.string(), z.object({ at: z.number(), reading: ReadingSchema, gone: z.boolean() })]),
  ),
  hours: z.array(z.tuple([z.number(), HourSchema])),
});

/** The state as it can be written down. */
export function storedState(state: MeterState): z.input<typeof StateSchema> {
  return z.encode(StateSchema, {
    wholeAt: state.wholeAt,
    last: [...state.last],
    hours: [...state.hours].map(([hour, { samples, digest, uses }]) => {
      const stored: [number, z.output<typeof HourSchema>] = [
        hour,
        { samples, digest, uses: [...uses] },
      ];
      return stored;
    }),
  });
}

/** What {@link storedState} wrote down. Throws on anything else. */
export function restoredState(stored: unknown): MeterState {
  const { wholeAt, last, hours } = StateSchema.parse(stored);
  return {
    wholeAt,
    last: new Map(last),
    hours: new Map(
      hours.map(([hour, { samples, digest, uses }]) => [
        hour,
        { samples, digest, uses: new Map(uses) },
      ]),
    ),
  };
}
