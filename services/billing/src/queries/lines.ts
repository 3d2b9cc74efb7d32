/** The lines of an invoice or credit note, from their blob. */
import type { PageArgs } from '@bivouac/events/language';
import { refuse } from '@bivouac/events/language';
import type { QueryContext } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { type InvoiceLine, InvoiceLineSchema } from '../api/invoices.ts';

const LinesSchema = z.array(InvoiceLineSchema);

/** All of them, or why they cannot be had. */
export async function linesOf(digest: string, of: string, context: QueryContext) {
  const content = await context.ports.blobs.get(digest);
  if (content === undefined) {
    return refuse(
      'INVOICE_LINES_MISSING',
      `The lines of ${of} (blob ${digest}) are not in the blob store; restore it.`,
    );
  }
  return {
    kind: 'lines' as const,
    lines: LinesSchema.parse(JSON.parse(new TextDecoder().decode(content))),
  };
}

/** A page of them; a cursor is the line's number, padded to sort. */
export async function linesPage(digest: string, of: string, page: PageArgs, context: QueryContext) {
  const found = await linesOf(digest, of, context);
  return found.kind === 'refused' ? found : pageOfLines(found.lines, page);
}

function pageOfLines(lines: readonly InvoiceLine[], page: PageArgs) {
  const { after, before, limit, reverse } = page;
  const within = lines
    .map((node, index) => ({ cursor: index.toString().padStart(8, '0'), node }))
    .filter(
      ({ cursor }) =>
        (after === undefined || cursor > after) && (before === undefined || cursor < before),
    );
  const items = reverse ? within.slice(-limit) : within.slice(0, limit);
  const more = within.length > items.length;
  return {
    items,
    hasNext: reverse ? before !== undefined : more,
    hasPrevious: reverse ? more : after !== undefined,
  };
}
