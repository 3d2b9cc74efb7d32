/**
 * Events of a family's pool, `pool-ipv4` and `pool-ipv6`, where no two ranges overlap, and of each
 * range's own stream, `range-<rng id>`, where each address has one owner.
 */
import { z } from 'zod';

import { event, staff } from '../language/index.ts';
import { AddressSchema, idOf, InstantSchema } from '../values/index.ts';
import { RangeFactsSchema } from './placement.ts';

/** Most addresses in one range; a larger network is several ranges. */
export const MAX_RANGE_ADDRESSES = 4096;

const rangeId = staff(idOf('range'));
const leaseId = staff(idOf('lease'));
const facts = {
  rangeId,
  cidr: staff(RangeFactsSchema.shape.cidr),
  location: staff(RangeFactsSchema.shape.location),
  family: staff(RangeFactsSchema.shape.family),
  gateway: staff(RangeFactsSchema.shape.gateway),
  reserved: staff(RangeFactsSchema.shape.reserved),
  coolDownSeconds: staff(RangeFactsSchema.shape.coolDownSeconds),
};

/** On the pool's stream: its addresses can be leased from now on. */
export const RangeRegistered = event('containers.RangeRegistered', z.strictObject(facts));

/** On the range's stream, with its first lease: the facts that its leases are decided on. */
export const RangeOpened = event('containers.RangeOpened', z.strictObject(facts));

export const AddressLeased = event(
  'containers.AddressLeased',
  z.strictObject({
    rangeId,
    leaseId,
    address: staff(AddressSchema),
    containerId: staff(idOf('container')),
    /** Until then a late repeat of the leasing may come; it is remembered that long. */
    notAfter: staff(InstantSchema),
  }),
);

/** By lease id only: a stale release never takes an address from its next owner. */
export const AddressReleased = event(
  'containers.AddressReleased',
  z.strictObject({ rangeId, leaseId, address: staff(AddressSchema) }),
);

/** This lease holds nothing here, for ever; reasons as in {@link PlacementVoided}. */
export const LeaseVoided = event(
  'containers.LeaseVoided',
  z.strictObject({
    rangeId,
    leaseId,
    reason: staff(z.enum(['no-room', 'released'])),
    notAfter: staff(InstantSchema),
  }),
);

export const poolEvents = [RangeRegistered] as const;
export const rangeEvents = [RangeOpened, AddressLeased, AddressReleased, LeaseVoided] as const;
