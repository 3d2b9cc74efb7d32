/** Which ranges may lease what is asked for, in which order, and the refusals where none does. */
import { MAX_CANDIDATES } from '@bivouac/events/containers';
import { refuse } from '@bivouac/events/language';
import type { AskInput } from '@bivouac/events/operations';
import { offsetIn, parseCidr } from '@bivouac/events/values';
import type { View } from '@bivouac/infra/views';

import { type RangeRow, ranges } from '../projections/platform.ts';
import { spread } from './spread.ts';

type Lease = AskInput<'containers.lease'>;

/** Ranges of the pool in the order to be asked: those with enough for all leases first. */
export function candidatesIn(
  view: View,
  { leaseIds, location, family }: Lease,
): { readonly rangeIds: string[]; readonly free: number } {
  const rows: RangeRow[] = [];
  let free = 0;
  let after: string | undefined;
  for (;;) {
    const page = view.range(ranges, 'byPool', [location, family], { after, limit: 500 });
    for (const { row } of page) {
      free += row.size - row.leased;
      if (row.leased < row.size) rows.push(row);
    }
    after = page.at(-1)?.cursor;
    if (page.length < 500) break;
  }
  const ordered = spread(leaseIds[0] ?? '', rows, (row) => ({
    id: row.rangeId,
    weight: (row.size - row.leased) / row.size,
  }));
  const enough = (row: RangeRow): boolean => row.size - row.leased >= leaseIds.length;
  return {
    rangeIds: [...ordered.filter(enough), ...ordered.filter((row) => !enough(row))]
      .slice(0, MAX_CANDIDATES)
      .map((row) => row.rangeId),
    free,
  };
}

/** Locations whose pool has at least so many addresses of the family to give. */
export function locationsWith(
  view: View,
  family: Lease['family'],
  count: number,
): ReadonlySet<string> {
  const free = new Map<string, number>();
  let after: string | undefined;
  for (;;) {
    const page = view.range(ranges, 'byFamily', [family], { after, limit: 500 });
    for (const { row } of page) {
      free.set(row.location, (free.get(row.location) ?? 0) + row.size - row.leased);
    }
    after = page.at(-1)?.cursor;
    if (page.length < 500) break;
  }
  return new Set([...free].filter(([, left]) => left >= count).map(([location]) => location));
}

export function poolFull({ location, family }: Lease, asked: number, free: number) {
  return refuse(
    'POOL_FULL',
    `The pool of ${family} addresses in ${location} has too few left (${asked} asked for, ${free} free, perhaps still resting); choose another location, or order later.`,
    { details: { location, family, asked, free }, retryable: true },
  );
}

/** The range this address is in: no two overlap. */
export function rangeWith(view: View, address: string): RangeRow | undefined {
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  let after: string | undefined;
  for (;;) {
    const page = view.range(ranges, 'byFamily', [family], { after, limit: 500 });
    const found = page.find(({ row }) => offsetIn(parseCidr(row.cidr), address) !== undefined);
    if (found !== undefined) return found.row;
    after = page.at(-1)?.cursor;
    if (page.length < 500) return undefined;
  }
}

export function notInPool(address: string, location: string | undefined) {
  const where = location === undefined ? 'any location' : location;
  return refuse(
    'ADDRESS_NOT_IN_POOL',
    `The address ${address} is in no range of its family in ${where}; take another, or none for any free one.`,
    { path: ['input', 'address'] },
  );
}

export function addressTaken(address: string) {
  return refuse(
    'ADDRESS_TAKEN',
    `The address ${address} is leased, reserved, or rests after its last lease; take another, or none for any free one.`,
    { path: ['input', 'address'] },
  );
}
