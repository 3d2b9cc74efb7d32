/**
 * Events of a container's later life, on its own stream: power, size, fewer addresses, soft deletion,
 * packages. What a node has part in is first asked for (`…Requested`, `…ing`), then so.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import {
  AskRefSchema,
  HostnameSchema,
  LeasedAddressSchema,
  PackageTransactionSchema,
  PlanTermsSchema,
} from '../operations/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';

const containerId = customer(idOf('container'));
const tenantId = customer(idOf('tenant'));
/** The ask it answers to; the operation holds the container for it. */
const ask = staff(AskRefSchema);

export const PowerActionSchema = z.enum(['start', 'stop', 'restart', 'freeze', 'thaw']);
export type PowerAction = z.output<typeof PowerActionSchema>;

/** Its owner wants it otherwise: the lifecycle is that from now on, and again the former if it fails. */
export const PowerRequested = event(
  'containers.PowerRequested',
  z.strictObject({ containerId, action: customer(PowerActionSchema), ask }),
);

/** It is in memory and gets no CPU. */
export const ContainerFrozen = event(
  'containers.ContainerFrozen',
  z.strictObject({ containerId, ask: ask.optional() }),
);

export const ContainerThawed = event(
  'containers.ContainerThawed',
  z.strictObject({ containerId, ask: ask.optional() }),
);

/** Its node is to give it other limits; its plan is the former until the node has. */
export const ContainerResizing = event(
  'containers.ContainerResizing',
  z.strictObject({
    containerId,
    plan: customer(PlanTermsSchema),
    /** Takes the place of its own when it is resized. */
    reservationId: staff(idOf('reservation')),
    ask,
  }),
);

/** It has the plan and its node the limits: charged by the new plan from `resizedAt`. */
export const ContainerResized = event(
  'containers.ContainerResized',
  z.strictObject({
    containerId,
    tenantId,
    plan: customer(PlanTermsSchema),
    /** Committed from here on; the previous one holds nothing any more. */
    reservationId: staff(idOf('reservation')),
    previousReservationId: staff(idOf('reservation')),
    previousPlan: customer(PlanTermsSchema),
    resizedAt: customer(InstantSchema),
  }),
);

/** The node is to take these addresses from it; it answers on them, and is charged, until it has. */
export const AddressesRemoving = event(
  'containers.AddressesRemoving',
  z.strictObject({
    containerId,
    leaseIds: customer(z.array(idOf('lease')).min(1).max(64)),
    ask,
  }),
);

/** It is to be stopped, and then deleted for its owner. */
export const SoftDeletionRequested = event(
  'containers.SoftDeletionRequested',
  z.strictObject({
    containerId,
    reason: customer(z.string().max(500)),
    restoreUntil: customer(InstantSchema),
    ask,
  }),
);

/** Stopped and deleted for its owner; place, addresses and data stay. Charging ends here. */
export const ContainerSoftDeleted = event(
  'containers.ContainerSoftDeleted',
  z.strictObject({
    containerId,
    tenantId,
    reason: customer(z.string().max(500)),
    restoreUntil: customer(InstantSchema),
    deletedAt: customer(InstantSchema),
  }),
);

/** It is what it was before its soft deletion. Charging starts anew, without a set-up fee. */
export const ContainerRestored = event(
  'containers.ContainerRestored',
  z.strictObject({
    containerId,
    tenantId,
    plan: customer(PlanTermsSchema),
    hostname: customer(HostnameSchema),
    addresses: customer(z.array(LeasedAddressSchema).min(1)),
    restoredAt: customer(InstantSchema),
    ask,
  }),
);

/** It cannot be restored any more and is to be destroyed. Once per soft deletion. */
export const RestoreWindowEnded = event(
  'containers.RestoreWindowEnded',
  z.strictObject({ containerId, tenantId }),
);

/** rpm is to do this transaction inside it; it says where each package is, which is the staff's to know. */
export const PackagesRequested = event(
  'containers.PackagesRequested',
  z.strictObject({ containerId, transaction: staff(PackageTransactionSchema), ask }),
);

/** What is installed in it, as its node said: after a transaction, or later than it was waited for. */
export const PackagesChanged = event(
  'containers.PackagesChanged',
  z.strictObject({
    containerId,
    tenantId,
    /** The operation that changed them; null where none waited for it any more. */
    operationId: customer(idOf('operation').nullable()),
    /** Hex SHA-256 of the blob with the whole list. */
    inventory: customer(z.string().regex(/^[0-9a-f]{64}$/)),
    observedAt: customer(InstantSchema),
  }),
);

/** The reconciler: what its node sees is not what is wanted, and counts more than what it confirmed. */
export const DifferenceFound = event(
  'containers.DifferenceFound',
  z.strictObject({
    containerId,
    wanted: customer(z.enum(['stopped', 'running', 'frozen'])),
    observed: customer(z.enum(['stopped', 'running', 'frozen'])),
  }),
);

/** Staff have released the operation that held it; nothing of it is waited for any more. */
export const ContainerLetGo = event(
  'containers.ContainerLetGo',
  z.strictObject({ containerId, operationId: customer(idOf('operation')) }),
);

export const laterLifeEvents = [
  PowerRequested,
  ContainerFrozen,
  ContainerThawed,
  ContainerResizing,
  ContainerResized,
  AddressesRemoving,
  SoftDeletionRequested,
  ContainerSoftDeleted,
  ContainerRestored,
  RestoreWindowEnded,
  PackagesRequested,
  PackagesChanged,
  DifferenceFound,
  ContainerLetGo,
] as const;
