/**
 * Personal data inside events: sealed under a key that belongs to (person, purpose), so that
 * destroying the key erases the person while every event and commitment still verifies. Events,
 * read models and the bus hold the sealed form only; it is opened at the API's edge.
 */
import { z } from 'zod';

/** Why we hold a piece of personal data: decides how long its key lives. */
export const PurposeSchema = z.enum(['contact', 'invoice', 'audit']);
export type Purpose = z.output<typeof PurposeSchema>;

/** A sealed value: AES-256-GCM box and a salted commitment to the clear text. */
export const SealedSchema = z.strictObject({
  /** The person it is about, `per_…`: a lasting pseudonym. */
  person: z.string().regex(/^per_[0-9a-z]{26}$/),
  purpose: PurposeSchema,
  /** base64url: nonce, cipher text, tag. The salt of the commitment is inside the clear text. */
  box: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(8192),
  /** base64url SHA-256 of salt and clear text: proves what was sealed to whoever is shown both. */
  commitment: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type Sealed = z.output<typeof SealedSchema>;

const personal = z.registry<{ purpose: Purpose }>();

/** A field that holds personal data, sealed for a purpose. */
export function sealed(purpose: Purpose): typeof SealedSchema {
  const own = SealedSchema.clone();
  personal.add(own, { purpose });
  return own;
}

/** The purpose a field is sealed for, or undefined where the field is not personal. */
export function purposeOf(schema: z.ZodType): Purpose | undefined {
  return personal.get(schema as typeof SealedSchema)?.purpose;
}
