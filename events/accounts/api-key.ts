/**
 * Events of an API key's stream, `apikey-<key id>`, and the key's text, `bvk_…`. Only the hashes of
 * its secrets are recorded.
 */
import { z } from 'zod';

import { auditor, customer, event, RightSchema } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { hashSecret, readSecret, SecretHashSchema, writeSecret } from './secret-text.ts';

/** Hex SHA-256 of an API key's whole text. */
export const ApiKeyHashSchema = SecretHashSchema;

/** Rights a key is confined to, each once. */
export const ScopesSchema = z
  .array(RightSchema)
  .min(1)
  .refine((scopes) => new Set(scopes).size === scopes.length, {
    error: 'expected each right once',
  });

/** What every event of a key says about it. */
const facts = {
  keyId: customer(idOf('apiKey')),
  tenantId: customer(idOf('tenant')),
  homeId: customer(idOf('tenant')),
};

export const ApiKeyCreated = event(
  'accounts.ApiKeyCreated',
  z.strictObject({
    ...facts,
    /** Who holds it: it may do what the member's role may, as far as its scopes go. */
    memberId: customer(idOf('member')),
    personId: customer(idOf('person')),
    label: customer(z.string().min(1).max(80)),
    hash: auditor(ApiKeyHashSchema),
    /** From this instant on it opens nothing; null: until revoked. */
    expiresAt: customer(InstantSchema.nullable()),
    /** Absent: all that the role may. */
    scopes: customer(ScopesSchema).optional(),
  }),
);

/** The key has a new secret. Those before it open until `earlierUntil`, or their own end if sooner. */
export const ApiKeyRotated = event(
  'accounts.ApiKeyRotated',
  z.strictObject({
    ...facts,
    hash: auditor(ApiKeyHashSchema),
    earlierUntil: customer(InstantSchema),
  }),
);

/** The key was used on this day, for the first time that day: never more than one a day. */
export const ApiKeyUsed = event(
  'accounts.ApiKeyUsed',
  z.strictObject({ ...facts, day: customer(z.iso.date()) }),
);

export const ApiKeyRevoked = event('accounts.ApiKeyRevoked', z.strictObject(facts));

export const apiKeyEvents = [ApiKeyCreated, ApiKeyRotated, ApiKeyUsed, ApiKeyRevoked] as const;

/** What a key's text says: which key it claims to be, and what proves it. */
export interface ReadApiKey {
  readonly keyId: string;
  /** Hex SHA-256 of the text. */
  readonly hash: string;
}

/**
 * The text of a key.
 * @param secret 32 random bytes.
 */
export function writeApiKey(keyId: string, secret: Uint8Array): string {
  return writeSecret('bvk', keyId, secret);
}

/** Reads a key's text; undefined for what cannot be one of ours. */
export function readApiKey(text: string): ReadApiKey | undefined {
  const read = readSecret('bvk', 'apiKey', text);
  return read === undefined ? undefined : { keyId: read.id, hash: read.hash };
}

/** Hex SHA-256 of a key's text. */
export function hashApiKey(text: string): string {
  return hashSecret(text);
}
