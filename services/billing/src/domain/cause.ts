/** The event that caused a charge, as charges and invoice lines keep it. */
import type { Cause } from '@bivouac/events/billing';
import type { Recorded } from '@bivouac/events/language';

/** What a charge keeps of the event it follows from. */
export function causeOf(event: Recorded): Cause {
  return {
    eventId: event.id,
    type: event.type,
    stream: event.stream,
    revision: event.revision.toString(),
    time: event.time,
  };
}
