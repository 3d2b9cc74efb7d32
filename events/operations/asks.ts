/**
 * What an operation asks of the contexts, and what they answer. An operation's stream records the
 * ask; the owner acts on its own streams and answers once, as revision 0 of
 * `answer-<operation>-<step>-<attempt>`.
 */
import { z } from 'zod';

import { AddressSchema, FamilySchema, idOf, InstantSchema, MoneySchema } from '../values/index.ts';
import {
  HoldSchema,
  HostnameSchema,
  LeasedAddressSchema,
  PackageReportSchema,
  PackageTransactionSchema,
  PlanTermsSchema,
  VectorSchema,
} from './facts.ts';

const containerId = idOf('container');
const tenantId = idOf('tenant');
const nothing = z.strictObject({});

/** A month of a calendar, e.g. `2026-04`. */
export const MonthSchema = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])$/, { error: 'expected a month like 2026-04' });

/** A month that may be asked about: one that begins and ends, anywhere, in a year of four digits. */
export const AskedMonthSchema = MonthSchema.refine(
  (month) => month >= '1970-02' && month <= '9998-12',
  { error: 'expected a month like 2026-04, from 1970-02 to 9998-12' },
);

/** Every ask by name: who is asked is the part before the dot. */
export const asks = {
  /** May this tenant order now? Refused while a hold stands on it or above it, or when closed. */
  'accounts.admit': { input: z.strictObject({ tenantId }), result: nothing },
  /** The plan's terms as the catalog has them now. */
  'billing.quote': {
    input: z.strictObject({ planCode: z.string().min(1).max(40) }),
    result: z.strictObject({ plan: PlanTermsSchema }),
  },
  'quotas.reserve': {
    input: z.strictObject({ reservationId: idOf('reservation'), tenantId, vector: VectorSchema }),
    result: nothing,
  },
  /** Gives a reservation back, committed or not; of one never made: leaves a tombstone. */
  'quotas.release': {
    input: z.strictObject({ reservationId: idOf('reservation') }),
    result: nothing,
  },
  /**
   * Makes a container ready to be built: a node with room, leases of addresses there (one lease id
   * each), the published image's facts, and its entry into its tree's roster, where holds reach it.
   * All or nothing: a refusal leaves nothing behind.
   */
  'containers.prepare': {
    input: z.strictObject({
      containerId,
      tenantId,
      hostname: HostnameSchema,
      plan: PlanTermsSchema,
      imageId: idOf('image'),
      placementId: idOf('placement'),
      vector: VectorSchema,
      location: z.string().max(40).optional(),
      leaseIds: z.array(idOf('lease')).min(1).max(64),
      family: FamilySchema,
      /** Which of the nodes with room: the emptiest (unless told) or the fullest. */
      placement: z.enum(['spread', 'packed']).optional(),
      /** The node must have all of these labels and features. */
      labels: z.array(z.string().max(60)).max(20).optional(),
      features: z.array(z.string().max(60)).max(20).optional(),
      /** This very address is to be one of those leased. */
      address: AddressSchema.optional(),
    }),
    result: z.strictObject({
      nodeId: idOf('node'),
      nodeName: z.string(),
      location: z.string(),
      addresses: z.array(LeasedAddressSchema),
    }),
  },
  /**
   * Undo of `prepare`, whether or not it happened: leases and place are given back by id (what was
   * never made is never made later), the container has failed and leaves the roster.
   */
  'containers.discard': {
    input: z.strictObject({
      containerId,
      reason: z.string().max(2000),
      placementId: idOf('placement'),
      /** Where the place is known. */
      nodeId: idOf('node').optional(),
      leaseIds: z.array(idOf('lease')).max(64),
      /** Those that are known to be leased. */
      addresses: z.array(LeasedAddressSchema).max(64),
    }),
    result: nothing,
  },
  /**
   * Lets go of a container that an operation holds and that staff have released: what the operation
   * asked last is not waited for any more. Of a container it does not hold: nothing.
   */
  'containers.let-go': {
    input: z.strictObject({ containerId, operationId: idOf('operation') }),
    /** By which quota the container is there, or was: it comes to no other by this operation any more. */
    result: z.strictObject({ reservationIds: z.array(idOf('reservation')).optional() }),
  },
  'containers.unplace': {
    input: z.strictObject({ placementId: idOf('placement'), nodeId: idOf('node').optional() }),
    result: nothing,
  },
  /** Leases addresses from the pool of a location. One lease id per address asked for. */
  'containers.lease': {
    input: z.strictObject({
      containerId,
      leaseIds: z.array(idOf('lease')).min(1).max(64),
      family: FamilySchema,
      location: z.string().max(40),
      /** This very address is to be one of them. */
      address: AddressSchema.optional(),
    }),
    result: z.strictObject({ addresses: z.array(LeasedAddressSchema) }),
  },
  /** Gives leases back by id; of one never made: leaves a tombstone. */
  'containers.unlease': {
    input: z.strictObject({
      leaseIds: z.array(idOf('lease')).max(64),
      addresses: z.array(LeasedAddressSchema).max(64),
      location: z.string().max(40),
      family: FamilySchema,
    }),
    result: nothing,
  },
  /** Builds and starts it on its node; done when it runs. */
  'containers.build': {
    input: z.strictObject({
      containerId,
      nodeId: idOf('node'),
      placementId: idOf('placement'),
      reservationId: idOf('reservation'),
      addresses: z.array(LeasedAddressSchema).min(1),
    }),
    result: z.strictObject({ runningAt: InstantSchema }),
  },
  /** Puts a hold on it and stops it; done when it is stopped (or was not running). */
  'containers.hold': { input: z.strictObject({ containerId, hold: HoldSchema }), result: nothing },
  /** Lifts a hold; where none remains and it is wanted running, done when it runs. */
  'containers.unhold': {
    input: z.strictObject({ containerId, holdId: idOf('hold') }),
    result: nothing,
  },
  /** Destroys it on its node; done when the node has answered. Says what is to be given back. */
  'containers.destroy': {
    input: z.strictObject({ containerId, reason: z.string().max(500) }),
    result: z.strictObject({
      placementId: idOf('placement').optional(),
      nodeId: idOf('node').optional(),
      reservationIds: z.array(idOf('reservation')),
      addresses: z.array(LeasedAddressSchema),
      location: z.string().max(40),
    }),
  },
  /** Gives leased addresses to a container and configures them on its node. */
  'containers.attach': {
    input: z.strictObject({
      containerId,
      reservationId: idOf('reservation'),
      addresses: z.array(LeasedAddressSchema).min(1),
    }),
    result: nothing,
  },
  /** Undo of `attach`. */
  'containers.detach': {
    input: z.strictObject({ containerId, leaseIds: z.array(idOf('lease')) }),
    result: nothing,
  },
  /** What an operation on a container needs to know of it: refused where it is missing, busy or gone. */
  'containers.inspect': {
    input: z.strictObject({ containerId }),
    result: z.strictObject({
      location: z.string(),
      plan: PlanTermsSchema,
      addresses: z.number().int(),
      /** Its own reservation, and how many of its addresses are counted there. */
      reservation: z.strictObject({
        reservationId: idOf('reservation'),
        addresses: z.number().int().min(0),
      }),
    }),
  },
  /** Starts, stops, restarts, freezes or thaws it; done when the node has (or it was so already). */
  'containers.power': {
    input: z.strictObject({
      containerId,
      action: z.enum(['start', 'stop', 'restart', 'freeze', 'thaw']),
    }),
    result: nothing,
  },
  /**
   * Gives it another plan: takes or gives back capacity on its node, then the limits there. Done when
   * the node has them; a refusal (NO_NODE_WITH_ROOM, LIMITS_NOT_APPLICABLE) leaves all as it was.
   */
  'containers.resize': {
    input: z.strictObject({
      containerId,
      plan: PlanTermsSchema,
      /** The reservation that takes the place of its own; committed when it is resized. */
      reservationId: idOf('reservation'),
    }),
    result: z.strictObject({ resizedAt: InstantSchema }),
  },
  /** Takes addresses from it that are not its last one; done when the node no longer has them. */
  'containers.remove-addresses': {
    input: z.strictObject({ containerId, leaseIds: z.array(idOf('lease')).min(1).max(64) }),
    /** What is to be given back. */
    result: z.strictObject({
      addresses: z.array(LeasedAddressSchema),
      location: z.string(),
      /** Reservations of which nothing is in use any more. */
      reservationIds: z.array(idOf('reservation')),
    }),
  },
  /** Stops it and marks it deleted; it keeps its place, addresses and data until `restoreUntil`. */
  'containers.soft-delete': {
    input: z.strictObject({
      containerId,
      reason: z.string().max(500),
      restoreUntil: InstantSchema,
    }),
    result: nothing,
  },
  /** Takes a soft deletion back within its window: it is as it was before. */
  'containers.restore': { input: z.strictObject({ containerId }), result: nothing },
  /** Runs a package transaction in it; done with what changed, failed with what rpm said. */
  'containers.packages': {
    input: z.strictObject({ containerId, transaction: PackageTransactionSchema }),
    result: z.strictObject({ report: PackageReportSchema }),
  },
  /** Moves a reservation to a new vector under a new id, all or nothing. Until the new one is
   * committed the larger of both counts; releasing the new one leaves the old as it was. */
  'quotas.transfer': {
    input: z.strictObject({
      fromReservationId: idOf('reservation'),
      reservationId: idOf('reservation'),
      tenantId,
      vector: VectorSchema,
    }),
    result: nothing,
  },
  /** What may be installed, upgraded or removed: names resolved against the repositories in force. */
  'packages.resolve': {
    input: z.strictObject({
      containerId,
      /** `refresh`: nothing changes, the node tells what is installed. */
      action: z.enum(['install', 'upgrade', 'remove', 'refresh']),
      packages: z.array(z.string().min(1).max(200)).max(200),
    }),
    result: z.strictObject({ transaction: PackageTransactionSchema }),
  },
  /** Waits for the end of the container's billing period; answered then. */
  'billing.period-end': {
    input: z.strictObject({ containerId }),
    result: z.strictObject({ endedAt: InstantSchema }),
  },
  /**
   * The accounts an issuer has to invoice for a month, page by page in a lasting order: those behind
   * `after`. `next` where there are more: what to send as `after` then. A page fits into one event.
   */
  'billing.accounts-to-close': {
    input: z.strictObject({
      issuerId: tenantId,
      month: MonthSchema,
      after: tenantId.optional(),
    }),
    result: z.strictObject({
      accounts: z.array(z.strictObject({ accountId: tenantId, homeId: tenantId })).max(400),
      next: tenantId.optional(),
    }),
  },
  /** Rates and issues one account's invoice for a month; `empty` where nothing is owed. */
  'billing.invoice': {
    input: z.strictObject({ accountId: tenantId, month: MonthSchema }),
    result: z.strictObject({
      invoice: z
        .strictObject({ invoiceId: idOf('invoice'), number: z.string(), total: MoneySchema })
        .nullable(),
    }),
  },
} as const;

export type AskName = keyof typeof asks;
export type AskInput<N extends AskName> = z.output<(typeof asks)[N]['input']>;
export type AskResult<N extends AskName> = z.output<(typeof asks)[N]['result']>;

export const AskNameSchema = z.enum(Object.keys(asks) as [AskName, ...AskName[]]);

/** A plain JSON object: an ask's input or result inside an event; parsed by the schemas above. */
export const JsonObjectSchema = z.record(z.string(), z.unknown());
