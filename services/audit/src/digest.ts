/** The digest of a query's arguments, by which an access recorded for one look allows no other. */
import { createHash } from 'node:crypto';

import { canonicalText } from '@bivouac/events/language';

import { type TrailArgs, TrailOf } from './api/index.ts';

/** SHA-256, hexadecimal. */
export function digestOf({ filter, page }: TrailArgs): string {
  return createHash('sha256')
    .update(canonicalText([TrailOf.name, withoutAbsent(filter), withoutAbsent(page)]))
    .digest('hex');
}

/** An argument given as undefined is one not given. */
function withoutAbsent(args: object): object {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
