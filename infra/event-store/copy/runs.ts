/**
 * Cuts a log into appends that, one after the other, make the same log again. One carries what follows
 * each other in one stream, as far as a server takes it at once.
 */
import type { StoredEvent } from '@bivouac/events/language';

/** Events of one append. */
const RUN_EVENTS = 500;
/** Bytes of one append, envelopes included: half of what the strictest server takes. */
const RUN_BYTES = 512 * 1024;
/** What the names of an envelope's fields take. */
const FIELD_NAMES = 256;

/**
 * Events that go out together. Where a run ends is a matter of the events from its beginning alone: who
 * begins again at the same place sends the same append.
 */
export function* runsOf(
  events: Iterable<StoredEvent>,
): Generator<readonly StoredEvent[], void, undefined> {
  let run: StoredEvent[] = [];
  let bytes = 0;
  let ids = new Set<string>();
  for (const event of events) {
    const size = sizeOf(event);
    const [first] = run;
    const full =
      first !== undefined &&
      (first.stream !== event.stream ||
        run.length >= RUN_EVENTS ||
        bytes + size > RUN_BYTES ||
        // A command given again after it was forgotten has its ids again, but not in one append.
        ids.has(event.id));
    if (full) {
      yield run;
      run = [];
      bytes = 0;
      ids = new Set();
    }
    run.push(event);
    ids.add(event.id);
    bytes += size;
  }
  if (run.length > 0) yield run;
}

/** No less than what the server counts. */
function sizeOf(event: StoredEvent): number {
  const { id, type, time, tenantid, homeid, actorid } = event;
  const { correlationid, causationid, commandkey, inputhash } = event;
  const ids = id.length + correlationid.length + causationid.length + commandkey.length;
  const names = type.length + tenantid.length + homeid.length + actorid.length + inputhash.length;
  // A character takes up to six bytes as JSON.
  return FIELD_NAMES + event.data.length + 6 * (ids + names + time.length);
}
