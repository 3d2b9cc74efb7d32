/** What an operation is to achieve, by kind. */
import { z } from 'zod';

import { NodeLabelSchema } from '../containers/node.ts';
import type { Right } from '../language/index.ts';
import { HoldKindSchema, HostnameSchema, MonthSchema } from '../operations/index.ts';
import { AddressSchema, FamilySchema, idOf } from '../values/index.ts';

const containerId = idOf('container');
const planCode = z.string().min(1).max(40);
const reason = z.string().trim().min(1).max(500);

/** At once, or when the container's billing period ends. */
export const WhenSchema = z.enum(['now', 'period-end']);

/** `spread`: on the node with most room; `packed`: on the fullest one that has room. */
export const PlacementSchema = z.enum(['spread', 'packed']);

export const PowerActionSchema = z.enum(['start', 'stop', 'restart', 'freeze', 'thaw']);

export const PackageActionSchema = z.enum(['install', 'upgrade', 'remove', 'refresh']);

export const OperationOrderSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('provision'),
      tenantId: idOf('tenant'),
      hostname: HostnameSchema,
      planCode,
      imageId: idOf('image'),
      location: z.string().min(1).max(40).optional(),
      family: FamilySchema.default('ipv4'),
      /** Addresses beyond those the plan includes; each is charged. */
      extraAddresses: z.number().int().min(0).max(32).default(0),
      placement: PlacementSchema.default('spread'),
      /** This very address is to be among its addresses; its family is `family`. */
      address: AddressSchema.optional(),
      /** Its node has all of these labels, and all of these features. */
      labels: z.array(NodeLabelSchema).max(20).optional(),
      features: z.array(z.string().trim().min(1).max(60)).max(20).optional(),
    })
    .refine(
      ({ address, family }) =>
        address === undefined || address.includes(':') === (family === 'ipv6'),
      {
        error: 'the address is not of that family: name the family it is of',
        path: ['address'],
      },
    ),
  z.strictObject({
    kind: z.literal('suspend'),
    containerId,
    hold: z.strictObject({ kind: HoldKindSchema, reason }),
  }),
  z.strictObject({ kind: z.literal('resume'), containerId, holdId: idOf('hold') }),
  z.strictObject({ kind: z.literal('power'), containerId, action: PowerActionSchema }),
  z.strictObject({
    kind: z.literal('resize'),
    containerId,
    planCode,
    at: WhenSchema.default('now'),
  }),
  z.strictObject({
    kind: z.literal('add-address'),
    containerId,
    count: z.number().int().min(1).max(32).default(1),
    family: FamilySchema.default('ipv4'),
  }),
  z.strictObject({
    kind: z.literal('remove-address'),
    containerId,
    leaseIds: z.array(idOf('lease')).min(1).max(32),
  }),
  z
    .strictObject({
      kind: z.literal('packages'),
      containerId,
      action: PackageActionSchema,
      /**
       * Names, or NEVRAs; with `upgrade` none means all that have an upgrade, and with `refresh`
       * there are none: the node tells what is installed.
       */
      packages: z.array(z.string().min(1).max(200)).max(200),
    })
    .refine(
      ({ action, packages }) =>
        isNamed(action) === undefined || isNamed(action) === packages.length > 0,
      {
        error: 'name at least one package to install or remove, and none to refresh',
        path: ['packages'],
      },
    ),
  /** Deleted, but kept for `restoreDays`; then terminated. */
  z.strictObject({
    kind: z.literal('delete'),
    containerId,
    reason,
    restoreDays: z.number().int().min(1).max(90).default(7),
  }),
  z.strictObject({ kind: z.literal('restore'), containerId }),
  /** The customer's own notice: terminated, at once or when the paid period ends. */
  z.strictObject({
    kind: z.literal('cancel'),
    containerId,
    at: WhenSchema.default('period-end'),
    reason,
  }),
  z.strictObject({ kind: z.literal('terminate'), containerId, reason }),
  z.strictObject({ kind: z.literal('close-month'), accountId: idOf('tenant'), month: MonthSchema }),
  /** `close-month` of every account the issuer invoices, each as an operation of its own. */
  z.strictObject({ kind: z.literal('run-month'), issuerId: idOf('tenant'), month: MonthSchema }),
]);
export type OperationOrder = z.output<typeof OperationOrderSchema>;
export type OperationKind = OperationOrder['kind'];
/** An order of one kind. */
export type OrderOf<K extends OperationKind> = Extract<OperationOrder, { kind: K }>;

export const OperationKindSchema = z.enum([
  'provision',
  'suspend',
  'resume',
  'power',
  'resize',
  'add-address',
  'remove-address',
  'packages',
  'delete',
  'restore',
  'cancel',
  'terminate',
  'close-month',
  'run-month',
]);

/** Whether packages must be named for an action, or must not be; undefined: as one likes. */
function isNamed(action: z.output<typeof PackageActionSchema>): boolean | undefined {
  return action === 'upgrade' ? undefined : action !== 'refresh';
}

/** What an operation acts on. */
export const OperationTargetSchema = z.strictObject({
  type: z.enum(['container', 'account']),
  id: z.string().min(1).max(60),
});
export type OperationTarget = z.output<typeof OperationTargetSchema>;

/** The right an order takes: what changes the bill is ordered, the rest is operating or repair. */
export function rightOfOrder({ kind }: Pick<OperationOrder, 'kind'>): Right {
  switch (kind) {
    case 'power':
    case 'packages':
      return 'containers.operate';
    case 'provision':
    case 'resize':
    case 'add-address':
    case 'remove-address':
    case 'delete':
    case 'restore':
    case 'cancel':
    case 'terminate':
      return 'containers.order';
    case 'suspend':
    case 'resume':
      return 'customers.manage';
    case 'close-month':
    case 'run-month':
      return 'billing.manage';
  }
}
