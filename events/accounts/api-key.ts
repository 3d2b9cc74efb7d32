/**
 * Events of an API key's stream, `apikey-<key id>`, and the key's text:
 * `bvk_<suffix of the key id>_<base62 of 256 random bits><checksum>`. Only its hash is recorded.
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';

import { auditor, customer, event } from '../language/index.ts';
import { idOf, InstantSchema, prefixes } from '../values/index.ts';

/** Hex SHA-256 of an API key's whole text. */
export const ApiKeyHashSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const ApiKeyCreated = event(
  'accounts.ApiKeyCreated',
  z.strictObject({
    keyId: customer(idOf('apiKey')),
    tenantId: customer(idOf('tenant')),
    homeId: customer(idOf('tenant')),
    /** Who holds it: it may do what the member's role may. */
    memberId: customer(idOf('member')),
    personId: customer(idOf('person')),
    label: customer(z.string().min(1).max(80)),
    hash: auditor(ApiKeyHashSchema),
    /** From this instant on it opens nothing; null: until revoked. */
    expiresAt: customer(InstantSchema.nullable()),
  }),
);

export const ApiKeyRevoked = event(
  'accounts.ApiKeyRevoked',
  z.strictObject({
    keyId: customer(idOf('apiKey')),
    tenantId: customer(idOf('tenant')),
    homeId: customer(idOf('tenant')),
  }),
);

export const apiKeyEvents = [ApiKeyCreated, ApiKeyRevoked] as const;

/** What a key's text says: which key it claims to be, and what proves it. */
export interface ReadApiKey {
  readonly keyId: string;
  /** Hex SHA-256 of the text. */
  readonly hash: string;
}

/**
 * The text of a key. The checksum lets scanners and {@link readApiKey} tell a key from a typing
 * error without asking anyone; it is no protection.
 * @param secret 32 random bytes.
 */
export function writeApiKey(keyId: string, secret: Uint8Array): string {
  if (secret.length !== 32) throw new RangeError('an API key is made of 32 random bytes');
  const body = `bvk_${keyId.slice(prefixes.apiKey.length + 1)}_${base62(secret, SECRET_DIGITS)}`;
  return body + checksum(body);
}

/** Reads a key's text; undefined for what cannot be one of ours. */
export function readApiKey(text: string): ReadApiKey | undefined {
  const match = /^(bvk_([0-7][0-9a-hjkmnp-tv-z]{25})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(text);
  const [, body, suffix, check] = match ?? [];
  if (body === undefined || suffix === undefined || check !== checksum(body)) return undefined;
  return { keyId: `${prefixes.apiKey}_${suffix}`, hash: hashApiKey(text) };
}

/** Hex SHA-256. A slow hash would add nothing: there are 256 random bits to guess. */
export function hashApiKey(text: string): string {
  return hash('sha256', text);
}

/** Base-62 digits that hold 256 bits. */
const SECRET_DIGITS = 43;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(bytes: Uint8Array, digits: number): string {
  let rest = bytes.reduce((n, byte) => (n << 8n) | BigInt(byte), 0n);
  let text = '';
  for (let i = 0; i < digits; i++) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

/** CRC-32 in base 62: 6 digits hold 32 bits. */
function checksum(text: string): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc32(text));
  return base62(bytes, 6);
}
