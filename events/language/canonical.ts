/** Canonical JSON (RFC 8785): equal values have equal bytes, so that bodies can be hashed. */
import canonicalize from 'canonicalize';

const encoder = new TextEncoder();

/** A value as canonical JSON text. Throws a TypeError for what JSON cannot hold. */
export function canonicalText(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('the value cannot be written as JSON');
  return text;
}

/** A value as canonical JSON bytes. */
export function canonicalBytes(value: unknown): Uint8Array {
  return encoder.encode(canonicalText(value));
}
