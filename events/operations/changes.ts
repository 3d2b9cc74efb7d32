/**
 * What has changed about an object, as those who follow it are told: which event, where it stands,
 * and nothing of what it says. Who may read the object may know that; what events say is its history.
 */
import { z } from 'zod';

import { InstantSchema, UInt64Schema } from '../values/index.ts';

/** Where an event stands in the log, as text. */
const PositionSchema = z.string().regex(/^\d{20}$/, { error: 'expected a position' });

/**
 * Which changes. With `after` or `since`: the first that follow, in order. Else the newest, also in
 * order.
 */
export const ChangesArgsSchema = z.strictObject({
  /** Only what follows this revision. */
  after: UInt64Schema.optional(),
  /** Only what follows this position: somebody who was cut off goes on there. */
  since: PositionSchema.optional(),
  /** Of the newest: only what is at this position or before. */
  until: PositionSchema.optional(),
  limit: z.number().int().min(1).max(100),
});
export type ChangesArgs = z.output<typeof ChangesArgsSchema>;

export const ChangeSchema = z.object({
  revision: UInt64Schema,
  position: z.string(),
  /** Stable type name, e.g. `containers.ContainerRunning`. */
  type: z.string(),
  time: InstantSchema,
});
export type Change = z.output<typeof ChangeSchema>;

export const ChangesSchema = z.object({
  changes: z.array(ChangeSchema),
  /** There are no more yet. */
  end: z.boolean(),
  /** The object had come to its end before the changes were read: with `end`, none will follow. */
  over: z.boolean(),
});
export type Changes = z.output<typeof ChangesSchema>;
