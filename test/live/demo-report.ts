/** What the demo comes to, on whatever it runs. */
import type { runDemo } from '@bivouac/all';

type Report = Awaited<ReturnType<typeof runDemo>>;

/**
 * A report without what differs from one installation to another: how many events it took, and the ids
 * of events, which are made of all that they say, sealed values included.
 */
export function comparable({ events: _, invoice, ...report }: Report) {
  const lines = invoice.lines.map(({ causes, ...line }) => ({
    ...line,
    causes: causes.map(({ eventId: _id, ...cause }) => cause),
  }));
  return { ...report, invoice: { ...invoice, lines } };
}
