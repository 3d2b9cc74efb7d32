/**
 * The one way bytes are encrypted here: AES-256-GCM with a random nonce, bound to a context so that
 * a box moved to another place does not open.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE = 12;
const TAG = 16;

/** Bytes a box is longer than what it holds. */
export const BOX_OVERHEAD = NONCE + TAG;

/** Nonce, cipher text, tag. */
export function closeBox(key: Uint8Array, context: string, clear: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context, 'utf8'));
  return Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
}

/** What is in a box; undefined where key, context or box is not the one it was closed with. */
export function openBox(key: Uint8Array, context: string, box: Uint8Array): Buffer | undefined {
  if (box.length < BOX_OVERHEAD) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE), {
    authTagLength: TAG,
  });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(box.subarray(box.length - TAG));
  try {
    return Buffer.concat([
      decipher.update(box.subarray(NONCE, box.length - TAG)),
      decipher.final(),
    ]);
  } catch {
    return undefined;
  }
}

/** A key of its own for each purpose, from one that is kept (HKDF-SHA-256). */
export function deriveKey(from: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', from, 'bivouac', Buffer.from(purpose, 'utf8'), 32));
}
