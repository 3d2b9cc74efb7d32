/**
 * Events of a person's stream, `person-<per id>`: what of them is erased, and what is to be. A person
 * is first heard of where they become a member or a contact; this stream begins with their erasure.
 */
import { z } from 'zod';

import { auditor, customer, event, PurposeSchema } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';

/** On what ground a person is erased: those of GDPR art. 17(1). Words of one's own may name somebody. */
export const ErasureGroundSchema = z.enum([
  'no-longer-needed',
  'consent-withdrawn',
  'objection',
  'unlawful',
  'legal-obligation',
  'child-consent',
]);
export type ErasureGround = z.output<typeof ErasureGroundSchema>;

/** Purposes without repeats. */
export const PurposesSchema = z
  .array(PurposeSchema)
  .min(1)
  .refine((purposes) => new Set(purposes).size === purposes.length, {
    error: 'expected each purpose once',
  });

const facts = {
  personId: customer(idOf('person')),
  /** Whose person it is: the tenant they act for, or are the contact of. */
  tenantId: customer(idOf('tenant')),
  homeId: customer(idOf('tenant')),
};

/**
 * The person is erased for these purposes, for ever: what is sealed for them opens nowhere from here
 * on, and their keys are destroyed because of this event.
 */
export const PersonErased = event(
  'accounts.PersonErased',
  z.strictObject({
    ...facts,
    purposes: customer(PurposesSchema),
    reason: auditor(ErasureGroundSchema),
  }),
);

/** What the law has us keep for now is erased when it need not be kept any more. */
export const ErasureScheduled = event(
  'accounts.ErasureScheduled',
  z.strictObject({
    ...facts,
    retained: customer(
      z.array(z.strictObject({ purpose: PurposeSchema, until: InstantSchema })).min(1),
    ),
    reason: auditor(ErasureGroundSchema),
  }),
);

export const personEvents = [PersonErased, ErasureScheduled] as const;
