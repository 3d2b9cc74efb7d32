/** What the log says: its order, and which operation caused what. */
import { parsePosition, type Recorded } from '@bivouac/events/language';

/** The events of a log in their order. */
export type History = readonly Recorded[];

/**
 * Positions and revisions without a gap, ids once, recorded time never back within a stream.
 *
 * @param gapless whether positions count the events, as those of the embedded log do; others only rise.
 */
export function historyViolations(history: History, gapless = true): string[] {
  const violations: string[] = [];
  const ids = new Set<string>();
  const streams = new Map<string, { readonly revision: bigint; readonly time: string }>();
  let position = 0n;
  for (const event of history) {
    const where = `${event.stream} at revision ${event.revision}`;
    const stands = parsePosition(event.position);
    if (gapless ? stands !== position + 1n : stands <= position) {
      violations.push(`${where} stands at ${event.position}, behind ${position}`);
    }
    position = stands;
    const before = streams.get(event.stream);
    if (event.revision !== (before?.revision ?? -1n) + 1n) {
      violations.push(`${where} does not follow revision ${before?.revision ?? 'none'}`);
    }
    if (before !== undefined && event.time < before.time) {
      violations.push(`${where} was recorded before the event it follows`);
    }
    if (ids.has(event.id)) violations.push(`${where} is in the log twice (${event.id})`);
    ids.add(event.id);
    streams.set(event.stream, event);
  }
  return violations;
}

/** Which operation an event was caused by: the nearest one in the chain of its causes. */
export class Causes {
  readonly #byId: ReadonlyMap<string, Recorded>;

  constructor(history: History) {
    this.#byId = new Map(history.map((event) => [event.id, event]));
  }

  operationOf(event: Recorded): string | undefined {
    const seen = new Set<string>();
    for (let at: Recorded | undefined = event; at !== undefined;) {
      if (at.stream.startsWith(OPERATION)) return at.stream.slice(OPERATION.length);
      if (seen.has(at.id)) return undefined;
      seen.add(at.id);
      at = this.#byId.get(at.causationid);
    }
    return undefined;
  }
}

const OPERATION = 'operation-';
