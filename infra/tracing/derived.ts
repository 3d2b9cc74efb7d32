/**
 * Ids of traces and of events' spans, derived from what the log holds: any process finds the trace an
 * event belongs to, however much later it reads it, and nothing is stored for that. See docs/adr/0017.
 */
import { createHash } from 'node:crypto';

/** Those of the traces under way: each is asked for with every span. */
const lately = new Map<string, string>();
const MOST = 1000;

/** The trace of everything that a request has led to: 16 bytes in hex. */
export function traceIdOf(correlationId: string): string {
  const known = lately.get(correlationId);
  if (known !== undefined) return known;
  const traceId = digest('trace', correlationId).slice(0, 32);
  lately.set(correlationId, traceId);
  const [oldest] = lately.keys();
  if (lately.size > MOST && oldest !== undefined) lately.delete(oldest);
  return traceId;
}

/** The span in which an event was appended: 8 bytes in hex. */
export function spanIdOf(eventId: string): string {
  return digest('span', eventId).slice(0, 16);
}

function digest(purpose: string, text: string): string {
  return createHash('sha256').update(`bivouac ${purpose}\n${text}`).digest('hex');
}
