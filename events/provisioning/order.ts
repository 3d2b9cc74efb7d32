/** What an operation is to achieve, by kind. */
import { z } from 'zod';

import { HoldKindSchema, HostnameSchema, MonthSchema } from '../operations/index.ts';
import { FamilySchema, idOf } from '../values/index.ts';

export const OperationOrderSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('provision'),
    tenantId: idOf('tenant'),
    hostname: HostnameSchema,
    planCode: z.string().min(1).max(40),
    imageId: idOf('image'),
    location: z.string().min(1).max(40).optional(),
    family: FamilySchema.default('ipv4'),
    /** Addresses beyond those the plan includes; each is charged. */
    extraAddresses: z.number().int().min(0).max(32).default(0),
  }),
  z.strictObject({
    kind: z.literal('suspend'),
    containerId: idOf('container'),
    hold: z.strictObject({ kind: HoldKindSchema, reason: z.string().trim().min(1).max(500) }),
  }),
  z.strictObject({
    kind: z.literal('resume'),
    containerId: idOf('container'),
    holdId: idOf('hold'),
  }),
  z.strictObject({
    kind: z.literal('terminate'),
    containerId: idOf('container'),
    reason: z.string().trim().min(1).max(500),
  }),
  z.strictObject({
    kind: z.literal('add-address'),
    containerId: idOf('container'),
    count: z.number().int().min(1).max(32).default(1),
    family: FamilySchema.default('ipv4'),
  }),
  z.strictObject({ kind: z.literal('close-month'), accountId: idOf('tenant'), month: MonthSchema }),
]);
export type OperationOrder = z.output<typeof OperationOrderSchema>;
export type OperationKind = OperationOrder['kind'];

export const OperationKindSchema = z.enum([
  'provision',
  'suspend',
  'resume',
  'terminate',
  'add-address',
  'close-month',
]);

/** What an operation acts on. */
export const OperationTargetSchema = z.strictObject({
  type: z.enum(['container', 'account']),
  id: z.string().min(1).max(60),
});
export type OperationTarget = z.output<typeof OperationTargetSchema>;
