/** Events of the stream `retention-<provider tenant id>`: how long the law has things kept. */
import { z } from 'zod';

import { customer, event } from '../language/index.ts';

/** What may have to be kept after erasure was asked for; a contact never has. */
export const RetainedPurposeSchema = z.enum(['invoice', 'audit']);
export type RetainedPurpose = z.output<typeof RetainedPurposeSchema>;

/** Whole years from the day on which erasure is asked for. */
export const RetentionYearsSchema = z.int().min(0).max(50);

/** Counts for whoever asks from here on; what is scheduled keeps its date. */
export const RetentionSet = event(
  'accounts.RetentionSet',
  z.strictObject({
    purpose: customer(RetainedPurposeSchema),
    years: customer(RetentionYearsSchema),
  }),
);

export const retentionEvents = [RetentionSet] as const;
