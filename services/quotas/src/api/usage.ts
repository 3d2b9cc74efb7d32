/** What containers and accounts used, by the hour and by the day. */
import { command, query } from '@bivouac/events/language';
import { HourSchema, MOST_IN_PART, UsageEntrySchema } from '@bivouac/events/node';
import { MOST_CONCERNED } from '@bivouac/events/quotas';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/**
 * Records what a node's agent reports of an hour, as far as it concerns one tree; idempotent for ever
 * by home, hour, meter and part. Refused: USAGE_EARLY, USAGE_DIFFERS.
 */
export const RecordUsage = command({
  name: 'quotas.RecordUsage',
  access: 'internal',
  input: z.strictObject({
    homeId: idOf('tenant'),
    hour: HourSchema,
    nodeId: idOf('node'),
    meterId: z.uuid(),
    part: z.number().int().min(0),
    samples: z.number().int().min(0),
    samplesDigest: z.string(),
    concerned: z.array(idOf('node')).max(MOST_CONCERNED).nullable(),
    entries: z.array(UsageEntrySchema.extend({ tenantId: idOf('tenant') })).max(MOST_IN_PART),
    /** The node has nothing more to say of this hour. */
    complete: z.boolean(),
  }),
  result: z.strictObject({}),
});

/** Sent by a timer: closes an hour, whoever has not reported. Refused: USAGE_HOUR_NOT_OVER. */
export const CloseUsageHour = command({
  name: 'quotas.CloseUsageHour',
  access: 'internal',
  input: z.strictObject({ homeId: idOf('tenant'), hour: HourSchema }),
  result: z.strictObject({}),
});

export const resolutions = ['hour', 'day'] as const;
export type Resolution = (typeof resolutions)[number];

/** Most hours or days in one answer. */
export const MOST_USAGE = 744;
/** How long hours are kept, in days; days are kept for ever. */
export const HOURS_KEPT_DAYS = 100;

const amount = z.string().regex(/^(0|[1-9]\d*)$/);

/** An hour or a day in UTC. */
export const UsageViewSchema = z.object({
  start: InstantSchema,
  /** CPU time in nanoseconds, bytes over the network. */
  cpuNanos: amount,
  receivedBytes: amount,
  sentBytes: amount,
  /** Seconds of which the use is known in sum alone, or not; of an account: of all its containers. */
  gapSeconds: z.number().int(),
  /** The most seen of memory and processes, the last seen of disk; null for accounts. */
  memoryPeakBytes: amount.nullable(),
  processesPeak: z.number().int().nullable(),
  diskBytes: amount.nullable(),
});
export type UsageView = z.output<typeof UsageViewSchema>;

const range = {
  /** Hours or days that begin at or after `from` and before `to`. */
  from: InstantSchema,
  to: InstantSchema,
  resolution: z.enum(resolutions),
};

const length = { hour: 3_600_000, day: 86_400_000 } as const;

/** What is asked for at once is bounded. */
function bounded(input: { from: string; to: string; resolution: Resolution }): boolean {
  const ms = Date.parse(input.to) - Date.parse(input.from);
  return ms >= 0 && ms <= MOST_USAGE * length[input.resolution];
}
const unbounded = {
  error: `expected an end after the beginning, with at most ${MOST_USAGE} hours or days between`,
  path: ['to'],
};

/** What a container used, oldest first; null where there is none or it is out of reach. */
export const UsageOfContainer = query({
  name: 'quotas.UsageOfContainer',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ containerId: idOf('container'), ...range }).refine(bounded, unbounded),
  result: z.array(UsageViewSchema).nullable(),
});

/** What a tenant's containers and those below it used, oldest first; null where it is out of reach. */
export const UsageOfTenant = query({
  name: 'quotas.UsageOfTenant',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ tenantId: idOf('tenant'), ...range }).refine(bounded, unbounded),
  result: z.array(UsageViewSchema).nullable(),
});
