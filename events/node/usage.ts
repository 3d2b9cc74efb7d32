/**
 * What a node's containers used in an hour, as its agent adds it up from its samples. A report is
 * final when it is sent first: an hour is reported once a sample of everything lies behind its end.
 */
import { z } from 'zod';

import { idOf, InstantSchema, UInt64Schema } from '../values/index.ts';

/** Containers in one part of a report: as many as an event holds whatever they have used. */
export const MOST_IN_PART = 80;

/** The beginning of an hour, e.g. `2026-04-10T09:00:00.000Z`. */
export const HourSchema = InstantSchema.regex(/T\d\d:00:00\.000Z$/, {
  error: 'expected the beginning of an hour',
});

/** A counter over the samples that bound the hour. */
const CountedSchema = z.strictObject({
  /** What of it falls into the hour. Never negative: a counter that restarted counts from zero. */
  used: UInt64Schema,
  /** What it stood at in the first and the last of these samples. */
  first: UInt64Schema,
  last: UInt64Schema,
  /** How often it was found to have started again from zero. */
  restarts: z.number().int().min(0),
});

/** One container in one hour. */
export const UsageEntrySchema = z.strictObject({
  containerId: idOf('container'),
  /** The samples that bound it; an interval across the end of an hour is divided by time. */
  from: InstantSchema,
  to: InstantSchema,
  cpuNanos: CountedSchema,
  receivedBytes: CountedSchema,
  sentBytes: CountedSchema,
  /**
   * Seconds between samples too far apart, or across a restart: what was used then is known in sum
   * alone, or, up to the restart, not at all.
   */
  gapSeconds: z.number().int().min(0),
  /** The most that a sample has seen. */
  memoryPeakBytes: UInt64Schema,
  processesPeak: z.number().int().min(0),
  /** As the last sample saw it; null where none did. */
  diskBytes: UInt64Schema.nullable(),
});
export type UsageEntry = z.output<typeof UsageEntrySchema>;

/** From the agent; sent again until it is noted. */
export const UsageMessageSchema = z.strictObject({
  type: z.literal('usage'),
  /** The agent's count: another one where it has lost its samples and begun anew. */
  meterId: z.uuid(),
  hour: HourSchema,
  part: z.number().int().min(0),
  parts: z.number().int().min(1),
  /** How many samples lie in the hour, and the SHA-256 of their chain. */
  samples: z.number().int().min(0),
  samplesDigest: z.string().regex(/^[0-9a-f]{64}$/),
  usage: z.array(UsageEntrySchema).max(MOST_IN_PART),
});
export type UsageMessage = z.output<typeof UsageMessageSchema>;

/** From the endpoint: the part is durable, or not wanted. */
export const UsageNotedSchema = z.strictObject({
  type: z.literal('usage-noted'),
  meterId: z.uuid(),
  hour: HourSchema,
  part: z.number().int().min(0),
});
