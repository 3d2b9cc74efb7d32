/** What an instruction carries, step by step: everything the node needs, nothing to look up. */
import { z } from 'zod';

import {
  HostnameSchema,
  ImageFactsSchema,
  LimitsSchema,
  PackageTransactionSchema,
} from '../operations/index.ts';
import { AddressSchema, FamilySchema } from '../values/index.ts';

const image = ImageFactsSchema.pick({ digest: true, name: true, source: true });
const addresses = z
  .array(z.strictObject({ address: AddressSchema, family: FamilySchema }))
  .max(256);
const nothing = z.strictObject({});

/**
 * The input of each step. `build` makes the image present, creates the instance and starts it;
 * `network` sets all addresses (others are dropped) and the host name.
 */
export const stepInputs = {
  build: z.strictObject({ image, limits: LimitsSchema, hostname: HostnameSchema, addresses }),
  start: nothing,
  /** Stopped by force after so many seconds. */
  stop: z.strictObject({ graceSeconds: z.number().int().min(0).max(3600) }),
  freeze: nothing,
  thaw: nothing,
  limits: z.strictObject({ limits: LimitsSchema }),
  network: z.strictObject({ hostname: HostnameSchema, addresses }),
  /** rpm does it wholly inside the instance, or nothing of it. */
  packages: z.strictObject({ transaction: PackageTransactionSchema }),
  destroy: nothing,
} as const;

export type Step = keyof typeof stepInputs;
export type StepInput<S extends Step> = z.output<(typeof stepInputs)[S]>;

export const StepSchema = z.enum(Object.keys(stepInputs) as [Step, ...Step[]]);
