/** The lines of an invoice or credit note, from their blob. */
import type { PageArgs } from '@bivouac/events/language';
import { refuse } from '@bivouac/events/language';
import type { QueryContext } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { InvoiceLineSchema } from '../api/invoices.ts';
import { numberedPage } from './numbered.ts';

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

/** A page of them. */
export async function linesPage(digest: string, of: string, page: PageArgs, context: QueryContext) {
  const found = await linesOf(digest, of, context);
  return found.kind === 'refused' ? found : numberedPage(found.lines, page);
}
