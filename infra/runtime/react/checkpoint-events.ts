/**
 * The events of the streams `checkpoint-<service>`: how far a service's reactions have come. Never
 * published and in no slice; the last one of a stream is all that counts.
 */
import { event, staff } from '@bivouac/events/language';
import { InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

import { PARTITIONS } from '../../bus/port.ts';

/** A position without its leading zeros: 64 of them are written each second. */
const CompactPositionSchema = z.string().regex(/^\d{1,20}$/);

const ParkedHomeSchema = z.strictObject({
  homeId: z.string().min(1).max(512),
  from: CompactPositionSchema,
  eventId: z.uuid(),
  type: z.string().min(1).max(512),
  reaction: z.string().min(1).max(200).nullable(),
  reason: z.enum(['unknown-version', 'invalid-body', 'handler-failed']),
  since: InstantSchema,
});

/**
 * Everything at or below these positions is done, by partition; '' where nothing is. Of the homes
 * parked, what lies at or after `from` is not.
 */
export const CheckpointRecorded = event(
  'reactions.CheckpointRecorded',
  z.strictObject({
    marks: staff(z.array(CompactPositionSchema.or(z.literal(''))).length(PARTITIONS)),
    parked: staff(z.array(ParkedHomeSchema)),
  }),
);

export const checkpointEvents = [CheckpointRecorded] as const;
