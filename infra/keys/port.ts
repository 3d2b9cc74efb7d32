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
  /**
   * Destroys all keys of a person for these purposes, for ever: also one restored later. Gone at once
   * here; for who shares the store, at the latest after `REMEMBERED_MILLISECONDS`.
   */
  destroy(person: string, purposes: readonly Purpose[]): Promise<void>;
  /**
   * From now on these keys are destroyed for whoever uses this opening of the store: the log says they
   * are, and somebody else may still be about to destroy them. Destroys nothing in the store.
   */
  forget(person: string, purposes: readonly Purpose[]): void;
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
