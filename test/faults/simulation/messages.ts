/** What passes between whoever orders simulated runs and the processes that play them. */
import { z } from 'zod';

import { laws } from './laws.ts';
import { plantNames } from './plants/names.ts';

/** Runs of seeds that follow each other, with a bug planted or none. */
export const BatchSchema = z.object({
  first: z.number(),
  count: z.number(),
  plant: z.enum(plantNames).nullable(),
});
export type Batch = z.output<typeof BatchSchema>;

/** What a process that plays runs is told, once. */
export const OrderSchema = z.object({
  batches: z.array(BatchSchema),
  /** Of all their runs it plays the one of this number, and from there each so-and-so-many-th. */
  from: z.number(),
  step: z.number(),
  /** Whether it prints everything that happens. */
  trace: z.boolean(),
});
export type Order = z.output<typeof OrderSchema>;

/** What one run has shown. */
export const ReportSchema = z.object({
  seed: z.number(),
  plant: z.enum(plantNames).nullable(),
  /** Of everything that happened, in its order: two runs of one seed have the same. */
  digest: z.string(),
  steps: z.number(),
  /** Accepted. */
  orders: z.number(),
  /** In the log at the end. */
  events: z.number(),
  crashes: z.number(),
  /** Hosts that were rolled to another release. */
  rolls: z.number(),
  /** Events of which there is a later version, as they were written in it. */
  later: z.number(),
  /** What is wrong beside the laws: a process broke by itself, or it never came to rest. */
  trouble: z.array(z.string()),
  /** What is violated, by law; laws that hold are left out. */
  violations: z.partialRecord(z.enum(laws), z.array(z.string())),
});
export type Report = z.output<typeof ReportSchema>;
