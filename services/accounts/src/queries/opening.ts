/** Sealed values are opened here, at the edge, and for nobody else: see docs/erasure.md. */
import type { Sealed } from '@bivouac/events/language';
import type { QueryContext } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import { isErased } from '../projections/persons.ts';

/**
 * Opens a sealed value for a reply; null for whom the view calls erased. Their key is destroyed only
 * after the event, and until then it would still open.
 */
export async function opened(
  view: View,
  { ports }: QueryContext,
  sealed: Sealed | null,
): Promise<string | null> {
  if (sealed === null || isErased(view, sealed.person, sealed.purpose)) return null;
  return (await ports.keys.open(sealed)) ?? null;
}
