/** A family's pool: the ranges registered in it. No two overlap, so no address has two ranges. */
import {
  MAX_RANGE_ADDRESSES,
  type poolEvents,
  type RangeFacts,
  RangeRegistered,
} from '@bivouac/events/containers';
import {
  accept,
  canonicalText,
  type Decision,
  type EventOf,
  refuse,
} from '@bivouac/events/language';
import { type Cidr, deriveId, offsetIn, parseCidr } from '@bivouac/events/values';

export interface PoolState {
  /** By first address; disjoint. */
  readonly ranges: { readonly first: bigint; readonly last: bigint; readonly facts: RangeFacts }[];
}

export function emptyPool(): PoolState {
  return { ranges: [] };
}

export function evolvePool(
  state: PoolState,
  event: EventOf<(typeof poolEvents)[number]>,
): PoolState {
  const { first, size } = parseCidr(event.data.cidr);
  state.ranges.push({ first, last: first + size - 1n, facts: event.data });
  return state;
}

/** A range's id is that of its prefix: registering it twice is registering it once. */
export function rangeIdOf(cidr: string): string {
  return deriveId('range', cidr);
}

/** How many of its addresses are leased at most: the first ones, by their index. */
export function slotsOf({ size }: Cidr): number {
  return size > BigInt(MAX_RANGE_ADDRESSES) ? MAX_RANGE_ADDRESSES : Number(size);
}

export function registerRange(
  state: PoolState,
  input: {
    readonly cidr: string;
    readonly location: string;
    readonly gateway?: string | undefined;
    readonly reserved: readonly number[];
    readonly coolDownSeconds: number;
  },
): Decision {
  const cidr = parseCidr(input.cidr);
  const large = cidr.family === 'ipv4' ? cidr.size > BigInt(MAX_RANGE_ADDRESSES) : cidr.prefix < 64;
  if (large) {
    return refuse(
      'RANGE_TOO_LARGE',
      cidr.family === 'ipv4'
        ? `${input.cidr} has ${cidr.size} addresses, a range at most ${MAX_RANGE_ADDRESSES}; register its parts.`
        : `${input.cidr} is larger than a /64; register its parts.`,
      { path: ['input', 'cidr'] },
    );
  }
  const size = slotsOf(cidr);
  const gateway = input.gateway === undefined ? undefined : offsetIn(cidr, input.gateway);
  if (input.gateway !== undefined && gateway === undefined) {
    return refuse('RANGE_GATEWAY_OUTSIDE', `${input.gateway} is not in ${input.cidr}.`, {
      path: ['input', 'gateway'],
    });
  }
  const outside = input.reserved.find((offset) => offset >= size);
  if (outside !== undefined) {
    return refuse(
      'RANGE_RESERVED_OUTSIDE',
      `${input.cidr} has the offsets 0 to ${size - 1}, so ${outside} cannot be reserved.`,
      { path: ['input', 'reserved'] },
    );
  }
  const reserved = new Set(input.reserved);
  // A host may not have its network's own or its broadcast address; a /31 has neither (RFC 3021).
  if (cidr.family === 'ipv4' && cidr.prefix <= 30) reserved.add(0).add(size - 1);
  // The first of an IPv6 subnet is any router's (RFC 4291); a /127 has none (RFC 6164).
  if (cidr.family === 'ipv6' && cidr.prefix <= 126) reserved.add(0);
  if (gateway !== undefined && gateway < BigInt(size)) reserved.add(Number(gateway));
  if (reserved.size === size) {
    return refuse('RANGE_EMPTY', `Nothing of ${input.cidr} is left to lease; reserve less.`, {
      path: ['input', 'reserved'],
    });
  }
  const facts: RangeFacts = {
    rangeId: rangeIdOf(input.cidr),
    cidr: input.cidr,
    location: input.location,
    family: cidr.family,
    gateway: input.gateway ?? null,
    reserved: [...reserved].sort((a, b) => a - b),
    coolDownSeconds: input.coolDownSeconds,
  };
  const last = cidr.first + cidr.size - 1n;
  const other = state.ranges.find((range) => range.first <= last && cidr.first <= range.last);
  if (other === undefined) return accept(RangeRegistered(facts));
  if (canonicalText(other.facts) === canonicalText(facts)) return accept();
  return refuse(
    'RANGE_OVERLAPS',
    `${input.cidr} overlaps ${other.facts.cidr} in ${other.facts.location}, which is registered already.`,
    { path: ['input', 'cidr'] },
  );
}
