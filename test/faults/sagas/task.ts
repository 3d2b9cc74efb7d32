/** What a process that is to be killed is told, and what one that is not says. */
import { idOf } from '@bivouac/events/values';
import { OperationOrderSchema } from '@bivouac/provisioning/api';
import { z } from 'zod';

const TenantSchema = z.object({ tenantId: idOf('tenant'), homeId: idOf('tenant') });

export const TaskSchema = z.object({
  folder: z.string(),
  /** Milliseconds since 1970: no earlier than this. */
  now: z.number(),
  /** Where it kills itself; null: nowhere. */
  dieAt: z.string().nullable(),
  order: OperationOrderSchema,
  tenantId: idOf('tenant'),
  homeId: idOf('tenant'),
  until: z.string().optional(),
  recorded: z.number(),
  seeded: z.object({
    ...{ provider: TenantSchema, customer: TenantSchema },
    ...{ imageId: idOf('image'), rangeId: idOf('range') },
    ...{ staffMemberId: idOf('member'), ownerMemberId: idOf('member') },
  }),
});
export type Task = z.output<typeof TaskSchema>;

export const SaidSchema = z.object({
  violations: z.array(z.string()),
  ends: z.array(z.string()),
  portrait: z.array(z.string()),
  /** Failpoints of its first life. */
  passed: z.array(z.string()),
});
export type Said = z.output<typeof SaidSchema>;
