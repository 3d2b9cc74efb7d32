/**
 * Keys of personal data: one per (person, purpose), outside the log, so that destroying it erases
 * the person. Also the homes' HMAC keys for input hashes.
 */
import type { Purpose, Sealed } from '@bivouac/events/language';

export interface Keys {
  /** Seals a value; makes the key on first use. A destroyed key seals nothing: KeyError `erased`. */
  seal(person: string, purpose: Purpose, clear: string): Promise<Sealed>;
  /** Opens a sealed value; undefined where the key was destroyed (the person is erased). */
  open(sealed: Sealed): Promise<string | undefined>;
  /** HMAC-SHA-256 of bytes under the key of a home (`home:<id>`) or person, base64url. */
  hmac(owner: string, bytes: Uint8Array): Promise<string>;
  /** Destroys all keys of a person for these purposes, for ever: also one restored later. */
  destroy(person: string, purposes: readonly Purpose[]): Promise<void>;
  close(): Promise<void>;
}

export class KeyError extends Error {
  readonly code: 'erased' | 'corrupt' | 'unavailable';
  constructor(
    code: 'erased' | 'corrupt' | 'unavailable',
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KeyError';
    this.code = code;
  }
}
