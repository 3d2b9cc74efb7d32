/** Errors of the secrets ports. None repeats a secret. */

export class SecretError extends Error {
  readonly code: 'corrupt' | 'unavailable' | 'invalid';
  constructor(
    code: 'corrupt' | 'unavailable' | 'invalid',
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SecretError';
    this.code = code;
  }
}

/** The longest reference, and the longest secret, in bytes. */
export const MAX_REFERENCE = 512;
export const MAX_SECRET = 64 * 1024;

/** Refuses what cannot be stored, before anything is done. */
export function checkSecret(reference: string, clear = ''): void {
  if (reference.length === 0 || Buffer.byteLength(reference) > MAX_REFERENCE) {
    throw new SecretError('invalid', `a secret's reference has 1 to ${MAX_REFERENCE} bytes`);
  }
  if (Buffer.byteLength(clear) > MAX_SECRET) {
    throw new SecretError('invalid', `a secret has ${MAX_SECRET} bytes at most`);
  }
}
