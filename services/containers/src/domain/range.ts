/**
 * A range of at most 4,096 addresses and the leases on it. The lowest free address that has rested
 * goes first; an address goes back by its lease's id only, so a stale release frees nobody else's.
 */
import {
  AddressLeased,
  AddressReleased,
  LeaseVoided,
  type RangeFacts,
  type rangeEvents,
  RangeOpened,
} from '@bivouac/events/containers';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  refuse,
} from '@bivouac/events/language';
import { addressAt, type Cidr, millisecondsOf, offsetIn, parseCidr } from '@bivouac/events/values';

import { askExpired } from './expiry.ts';
import { slotsOf } from './pool.ts';
import { forgetExpired, type Tombstones } from './tombstones.ts';

export interface RangeState {
  open:
    | {
        readonly rangeId: string;
        readonly cidr: Cidr;
        readonly coolDownMilliseconds: number;
        /** 1 where an address is leased or reserved. */
        readonly taken: Uint8Array;
        /** When it was last released, in milliseconds since 1970; 0 for never. */
        readonly releasedAt: Float64Array;
      }
    | undefined;
  /** No free address lies below this offset. */
  lowest: number;
  readonly leases: Map<string, { readonly offset: number; readonly notAfter: string }>;
  readonly voided: Tombstones;
}

export function emptyRange(): RangeState {
  return { open: undefined, lowest: 0, leases: new Map(), voided: new Map() };
}

export function evolveRange(
  state: RangeState,
  event: EventOf<(typeof rangeEvents)[number]>,
): RangeState {
  if (is(event, RangeOpened)) {
    const cidr = parseCidr(event.data.cidr);
    const taken = new Uint8Array(slotsOf(cidr));
    for (const offset of event.data.reserved) taken[offset] = 1;
    state.open = {
      rangeId: event.data.rangeId,
      cidr,
      coolDownMilliseconds: event.data.coolDownSeconds * 1000,
      taken,
      releasedAt: new Float64Array(taken.length),
    };
    state.lowest = nextFree(taken, 0);
  } else if (is(event, AddressLeased)) {
    const offset = offsetOf(state, event.data.address);
    state.leases.set(event.data.leaseId, { offset, notAfter: event.data.notAfter });
    if (state.open !== undefined) {
      state.open.taken[offset] = 1;
      if (offset === state.lowest) state.lowest = nextFree(state.open.taken, offset);
    }
  } else if (is(event, AddressReleased)) {
    const { leaseId } = event.data;
    const lease = state.leases.get(leaseId);
    if (lease !== undefined && state.open !== undefined) {
      state.leases.delete(leaseId);
      state.open.taken[lease.offset] = 0;
      state.open.releasedAt[lease.offset] = millisecondsOf(event.time);
      state.lowest = Math.min(state.lowest, lease.offset);
      state.voided.set(leaseId, { reason: 'released', notAfter: lease.notAfter });
    }
  } else {
    const { leaseId, reason, notAfter } = event.data;
    state.voided.set(leaseId, { reason, notAfter });
  }
  forgetExpired(state.voided, event.time);
  return state;
}

/**
 * Leases an address for each id, or says once and for all that there was none for it. Refused:
 * RANGE_UNKNOWN, ASK_EXPIRED, LEASE_VOIDED (one was released before; nothing is leased then).
 */
export function leaseAddresses(
  state: RangeState,
  input: {
    readonly rangeId: string;
    /** Needed for the first lease, which opens the range. */
    readonly facts?: RangeFacts | undefined;
    readonly leaseIds: readonly string[];
    /** For a single lease: this very address or none. */
    readonly address?: string | undefined;
    readonly containerId: string;
    readonly notAfter: string;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { rangeId, facts, containerId, notAfter } = input;
  const fresh: string[] = [];
  for (const leaseId of new Set(input.leaseIds)) {
    if (state.leases.has(leaseId)) continue;
    const voided = state.voided.get(leaseId);
    if (voided?.reason === 'released') return leaseVoided(leaseId);
    if (voided === undefined) fresh.push(leaseId);
  }
  if (fresh.length === 0) return accept();
  if (context.now > notAfter) return askExpired(notAfter);
  const events: Decided[] = [];
  let open: Pick<NonNullable<RangeState['open']>, 'cidr' | 'taken'> | undefined = state.open;
  let lowest = state.lowest;
  if (open === undefined) {
    if (facts === undefined) {
      return refuse('RANGE_UNKNOWN', `There is no range ${rangeId}; register it first.`);
    }
    events.push(RangeOpened(facts));
    const cidr = parseCidr(facts.cidr);
    const taken = new Uint8Array(slotsOf(cidr));
    for (const offset of facts.reserved) taken[offset] = 1;
    open = { cidr, taken };
    lowest = 0;
  }
  const now = millisecondsOf(context.now);
  let offset = lowest - 1;
  for (const leaseId of fresh) {
    offset =
      input.address === undefined
        ? nextRested(state, open.taken, offset + 1, now)
        : restedAt(state, open, input.address, now);
    events.push(
      offset < open.taken.length
        ? AddressLeased({
            rangeId,
            leaseId,
            address: addressAt(open.cidr, BigInt(offset)),
            containerId,
            notAfter,
          })
        : LeaseVoided({ rangeId, leaseId, reason: 'no-room', notAfter }),
    );
  }
  return accept(...events);
}

/**
 * Gives addresses back. With `notAfter` (until when a leasing may be decided) a lease never made leaves
 * a tombstone; refused LEASE_NOT_HERE where one was declined, so that the next candidate is to be told.
 * Also after `notAfter`: a leasing that was decided in time may be on its way to the store still, and is
 * refused there by whatever was appended since. Without it, what is not leased here is passed over.
 */
export function releaseLeases(
  state: RangeState,
  input: {
    readonly rangeId: string;
    readonly leaseIds: readonly string[];
    readonly notAfter?: string | undefined;
  },
): Decision {
  const { rangeId, notAfter } = input;
  const events: Decided[] = [];
  for (const leaseId of new Set(input.leaseIds)) {
    const lease = state.leases.get(leaseId);
    if (lease !== undefined && state.open !== undefined) {
      const address = addressAt(state.open.cidr, BigInt(lease.offset));
      events.push(AddressReleased({ rangeId, leaseId, address }));
      continue;
    }
    const voided = state.voided.get(leaseId);
    if (voided?.reason === 'released' || notAfter === undefined) continue;
    if (voided !== undefined) {
      return refuse('LEASE_NOT_HERE', `The lease ${leaseId} is not in range ${rangeId}.`);
    }
    events.push(LeaseVoided({ rangeId, leaseId, reason: 'released', notAfter }));
  }
  return accept(...events);
}

/** The address a lease holds here. */
export function addressOf(state: RangeState, leaseId: string): string | undefined {
  const lease = state.leases.get(leaseId);
  if (lease === undefined || state.open === undefined) return undefined;
  return addressAt(state.open.cidr, BigInt(lease.offset));
}

/** The refusal of a lease that was given back before it was made. */
export function leaseVoided(leaseId: string): ReturnType<typeof refuse> {
  return refuse(
    'LEASE_VOIDED',
    `The lease ${leaseId} was given back before it was made; ask for a new one.`,
  );
}

/** The first free offset from `from` on; the length where there is none. */
function nextFree(taken: Uint8Array, from: number): number {
  const found = taken.indexOf(0, from);
  return found === -1 ? taken.length : found;
}

/** The first free offset from `from` on whose last lease has ended long enough ago. */
function nextRested(state: RangeState, taken: Uint8Array, from: number, now: number): number {
  let offset = nextFree(taken, from);
  while (offset < taken.length) {
    const released = state.open?.releasedAt[offset] ?? 0;
    if (released === 0 || released + (state.open?.coolDownMilliseconds ?? 0) <= now) break;
    offset = nextFree(taken, offset + 1);
  }
  return offset;
}

/** The offset of this address, where it is free and has rested; else the length. */
function restedAt(
  state: RangeState,
  { cidr, taken }: Pick<NonNullable<RangeState['open']>, 'cidr' | 'taken'>,
  address: string,
  now: number,
): number {
  const offset = Number(offsetIn(cidr, address) ?? taken.length);
  return nextRested(state, taken, offset, now) === offset ? offset : taken.length;
}

function offsetOf(state: RangeState, address: string): number {
  const offset = state.open === undefined ? undefined : offsetIn(state.open.cidr, address);
  if (offset === undefined) throw new RangeError(`${address} is not in this range`);
  return Number(offset);
}
