/** The digest of a question, by which a read recorded for it allows no other. */
import { createHash } from 'node:crypto';

import { canonicalText } from '@bivouac/events/language';

import type { TrailArgs } from './api/index.ts';

/** SHA-256, hexadecimal. */
export function digestOf({ filter, page }: TrailArgs): string {
  // An argument given as undefined is one not given.
  const question: unknown = JSON.parse(JSON.stringify([filter, page]));
  return createHash('sha256').update(canonicalText(question)).digest('hex');
}
