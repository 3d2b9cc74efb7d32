/**
 * Secrets as people handle them: `<prefix>_<suffix of an id>_<base62 of 256 random bits><checksum>`.
 * API keys and invitations are such texts; only their hashes are recorded.
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';

import { type IdKind, prefixes } from '../values/index.ts';

/** Hex SHA-256 of a secret's whole text. */
export const SecretHashSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** What a secret's text says: which thing it claims to open, and what proves it. */
export interface ReadSecret {
  readonly id: string;
  /** Hex SHA-256 of the text. */
  readonly hash: string;
}

/**
 * The text of a secret. The checksum lets scanners and {@link readSecret} tell it from a typing error
 * without asking anyone; it is no protection.
 * @param secret 32 random bytes.
 */
export function writeSecret(prefix: string, id: string, secret: Uint8Array): string {
  if (secret.length !== 32) throw new RangeError('a secret is made of 32 random bytes');
  const body = `${prefix}_${id.slice(id.indexOf('_') + 1)}_${base62(secret, SECRET_DIGITS)}`;
  return body + checksum(body);
}

/** Reads a secret's text as of an id of a kind; undefined for what cannot be one. */
export function readSecret(prefix: string, kind: IdKind, text: string): ReadSecret | undefined {
  const match = /^(([a-z]{3})_([0-7][0-9a-hjkmnp-tv-z]{25})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(
    text,
  );
  const [, body, found, suffix, check] = match ?? [];
  if (body === undefined || suffix === undefined) return undefined;
  if (found !== prefix || check !== checksum(body)) return undefined;
  return { id: `${prefixes[kind]}_${suffix}`, hash: hashSecret(text) };
}

/** Hex SHA-256. A slow hash would add nothing: there are 256 random bits to guess. */
export function hashSecret(text: string): string {
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
