/**
 * The events of the streams `relay-<cluster>`: how far the log has been published there. Never
 * published itself and in no slice; the last one of a stream is all that counts.
 */
import { event, staff } from '@bivouac/events/language';
import { z } from 'zod';

import { PARTITIONS } from '../port.ts';

/** A position without its leading zeros: 64 of them are written each second. */
const CompactPositionSchema = z.string().regex(/^\d{1,20}$/);

/**
 * Every published event up to `position`, which is that of the event `eventId`, has been acknowledged
 * by the topic; `lasts` are the last ones by partition, '' where there was none.
 */
export const RelayCheckpointRecorded = event(
  'bus.RelayCheckpointRecorded',
  z.strictObject({
    topic: staff(z.string().min(1).max(249)),
    position: staff(CompactPositionSchema),
    eventId: staff(z.uuid()),
    lasts: staff(z.array(CompactPositionSchema.or(z.literal(''))).length(PARTITIONS)),
  }),
);

export const relayEvents = [RelayCheckpointRecorded] as const;
