/** Events of a container's stream, `container-<ctr id>`. Other contexts build on these. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import {
  AskNameSchema,
  AskRefSchema,
  HoldSchema,
  HostnameSchema,
  ImageFactsSchema,
  JsonObjectSchema,
  LeasedAddressSchema,
  LimitsSchema,
  PlanTermsSchema,
  RefusalSchema,
} from '../operations/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { InstructionAnswered, InstructionIssued, ObservationChanged } from './instruction.ts';

const containerId = customer(idOf('container'));
const tenantId = customer(idOf('tenant'));
/** The ask it answers to, where an operation holds the container for it. */
const ask = staff(AskRefSchema);

/** Requested: it has an identity, nothing on any node. */
export const ContainerRequested = event(
  'containers.ContainerRequested',
  z.strictObject({
    containerId,
    tenantId,
    hostname: customer(HostnameSchema),
    plan: customer(PlanTermsSchema),
    image: staff(ImageFactsSchema),
    operationId: customer(idOf('operation')),
  }),
);

/** Reserved: it has a place on a node, addresses and a quota reservation. Raises the generation. */
export const ContainerReserved = event(
  'containers.ContainerReserved',
  z.strictObject({
    containerId,
    nodeId: staff(idOf('node')),
    placementId: staff(idOf('placement')),
    reservationId: staff(idOf('reservation')),
    location: customer(z.string().max(40)),
    generation: staff(z.number().int().min(1)),
    limits: customer(LimitsSchema),
    addresses: customer(z.array(LeasedAddressSchema).min(1)),
    ask,
  }),
);

/**
 * The first time it runs, recorded once in its life: charging starts here, never before. Carries
 * what billing and packages need, so that neither has to look anything up.
 */
export const ContainerRunning = event(
  'containers.ContainerRunning',
  z.strictObject({
    containerId,
    tenantId,
    hostname: customer(HostnameSchema),
    plan: customer(PlanTermsSchema),
    image: staff(ImageFactsSchema),
    addresses: customer(z.array(LeasedAddressSchema).min(1)),
    /** Held for it until now; committed from here on. */
    reservationId: staff(idOf('reservation')),
    runningAt: customer(InstantSchema),
  }),
);

/** It runs again (after a stop or a hold). */
export const ContainerStarted = event(
  'containers.ContainerStarted',
  z.strictObject({ containerId, ask: ask.optional() }),
);

export const ContainerStopped = event(
  'containers.ContainerStopped',
  z.strictObject({ containerId, ask: ask.optional() }),
);

export const ContainerRenamed = event(
  'containers.ContainerRenamed',
  z.strictObject({ containerId, hostname: customer(HostnameSchema) }),
);

/** An operation adds addresses; the node has yet to configure them. */
export const AddressesAttaching = event(
  'containers.AddressesAttaching',
  z.strictObject({
    containerId,
    addresses: customer(z.array(LeasedAddressSchema).min(1)),
    reservationId: staff(idOf('reservation')),
    ask,
  }),
);

/** The container answers on these addresses from now on; extra ones are charged from here. */
export const AddressesAttached = event(
  'containers.AddressesAttached',
  z.strictObject({
    containerId,
    tenantId,
    addresses: customer(z.array(LeasedAddressSchema).min(1)),
    plan: customer(PlanTermsSchema),
    /** Held for them until now; committed from here on. */
    reservationIds: staff(z.array(idOf('reservation'))),
    attachedAt: customer(InstantSchema),
  }),
);

/**
 * These leases are the container's no longer. Also recorded for leases that were never attached:
 * it then is the tombstone that refuses a late attach, and concerns nobody else.
 */
export const AddressesDetached = event(
  'containers.AddressesDetached',
  z.strictObject({
    containerId,
    tenantId,
    leaseIds: customer(z.array(idOf('lease'))),
    detachedAt: customer(InstantSchema),
    /** The operation that attached them undid it: nobody is charged for them. */
    undone: customer(z.literal(true).optional()),
  }),
);

/** A hold stands on it: it is to be stopped and its owner cannot start it. */
export const HoldPlaced = event(
  'containers.HoldPlaced',
  z.strictObject({ containerId, hold: customer(HoldSchema), ask: ask.optional() }),
);

export const HoldLifted = event(
  'containers.HoldLifted',
  z.strictObject({ containerId, holdId: customer(idOf('hold')), ask: ask.optional() }),
);

/** Deletion has begun; raises the generation, so that nothing older acts on a node. */
export const ContainerDeleting = event(
  'containers.ContainerDeleting',
  z.strictObject({
    containerId,
    reason: customer(z.string().max(500)),
    generation: staff(z.number().int().min(1)),
    ask,
  }),
);

/** It is gone from its node. Charging ended with `endedAt`. */
export const ContainerDeleted = event(
  'containers.ContainerDeleted',
  z.strictObject({
    containerId,
    tenantId,
    endedAt: customer(InstantSchema),
    /** Whether it ever ran. */ ran: staff(z.boolean()),
  }),
);

/**
 * The order that made it was undone although it had run, by the operation that asked for it: nobody
 * is charged for it. Once, with its deletion or behind it.
 */
export const OrderUndone = event(
  'containers.OrderUndone',
  z.strictObject({ containerId, tenantId, undoneAt: customer(InstantSchema) }),
);

/** It never came to run; what it held is given back by the operation. */
export const ContainerFailed = event(
  'containers.ContainerFailed',
  z.strictObject({ containerId, reason: customer(z.string().max(2000)) }),
);

/**
 * An operation's ask is accepted and has to wait for what is under way on the node, e.g. a second
 * attempt to stop what is being stopped. The operation holds the container meanwhile.
 */
export const AskAccepted = event(
  'containers.AskAccepted',
  z.strictObject({
    containerId,
    ask: customer(AskRefSchema),
    name: customer(AskNameSchema),
    notAfter: staff(InstantSchema),
  }),
);

/** The ask is settled: what the operation is answered, and the operation holds the container no more. */
export const AskSettled = event(
  'containers.AskSettled',
  z.strictObject({
    containerId,
    ask: customer(AskRefSchema),
    name: customer(AskNameSchema),
    outcome: customer(z.enum(['done', 'failed'])),
    /** With `done`. */
    result: staff(JsonObjectSchema.optional()),
    /** With `failed`: why. */
    refusal: customer(RefusalSchema.optional()),
    /** The container is deleted or has failed for good: it leaves its tree's roster. */
    gone: staff(z.boolean()),
  }),
);

export const containerEvents = [
  ContainerRequested,
  ContainerReserved,
  ContainerRunning,
  ContainerStarted,
  ContainerStopped,
  ContainerRenamed,
  AddressesAttaching,
  AddressesAttached,
  AddressesDetached,
  HoldPlaced,
  HoldLifted,
  ContainerDeleting,
  ContainerDeleted,
  OrderUndone,
  ContainerFailed,
  InstructionIssued,
  InstructionAnswered,
  ObservationChanged,
  AskAccepted,
  AskSettled,
] as const;
