/**
 * No address ever has two holders, at no moment of the log; a lease holds one address once, and one
 * that was given back rests as long as its range says.
 */
import {
  AddressLeased,
  AddressReleased,
  LeaseAbandoned,
  LeaseVoided,
  RangeRegistered,
} from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { millisecondsOf } from '@bivouac/events/values';

import type { History } from './history.ts';

interface Held {
  readonly address: string;
  readonly rangeId: string;
}

export function addressViolations(history: History): string[] {
  const violations: string[] = [];
  const holders = new Map<string, string>();
  /** By lease: its address while it holds it, then why it never holds one again. */
  const leases = new Map<string, Held | 'released' | 'abandoned'>();
  const restsUntil = new Map<string, number>();
  const coolDown = new Map<string, number>();
  for (const event of history) {
    const wrong = (what: string): void => {
      violations.push(`${what} (${event.type} at ${event.position})`);
    };
    if (is(event, RangeRegistered)) {
      coolDown.set(event.data.rangeId, event.data.coolDownSeconds * 1000);
    } else if (is(event, AddressLeased)) {
      const { address, leaseId, rangeId } = event.data;
      const holder = holders.get(address);
      if (holder !== undefined) wrong(`${address} is leased by ${leaseId} and by ${holder}`);
      const before = leases.get(leaseId);
      if (typeof before === 'object') wrong(`${leaseId} leases a second address, ${address}`);
      else if (before !== undefined) wrong(`${leaseId} leases ${address} after it was ${before}`);
      if (millisecondsOf(event.time) < (restsUntil.get(address) ?? 0)) {
        wrong(`${address} is leased while it rests`);
      }
      holders.set(address, leaseId);
      leases.set(leaseId, { address, rangeId });
    } else if (is(event, AddressReleased)) {
      const { address, leaseId, rangeId } = event.data;
      if (holders.get(address) !== leaseId) {
        wrong(`${leaseId} gives ${address} back, which it does not hold`);
      } else holders.delete(address);
      leases.set(leaseId, 'released');
      restsUntil.set(address, millisecondsOf(event.time) + (coolDown.get(rangeId) ?? 0));
    } else if (is(event, LeaseVoided) && event.data.reason === 'released') {
      const { leaseId, rangeId } = event.data;
      const held = leases.get(leaseId);
      // Whoever gives back late tells every range that might have it: one has, the others never will.
      if (typeof held !== 'object') leases.set(leaseId, 'released');
      else if (held.rangeId === rangeId) wrong(`${leaseId} is voided and holds an address`);
    } else if (is(event, LeaseAbandoned)) {
      leases.set(event.data.leaseId, 'abandoned');
    }
  }
  return violations;
}
