/** Errors of the host. Each has a stable code and a sentence that says what to do. */
import { BlobError } from '../blobs/port.ts';
import { EventStoreError } from '../event-store/port.ts';
import { KeyError } from '../keys/port.ts';
import { SecretError } from '../secrets/errors.ts';

export type RuntimeErrorCode =
  /** Others kept changing the stream; nothing was done; send the same again. */
  | 'contention'
  /** A store, bus or port cannot be reached; nothing was done; send the same again. */
  | 'unavailable'
  /** It may or may not have been done; the same again gives the one result. */
  | 'outcome-unknown'
  /** The host is stopping. */
  | 'shutting-down'
  /** A declaration or configuration cannot be used. */
  | 'misconfigured'
  /** A defect: a state that cannot be. */
  | 'defect';

export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;
  constructor(code: RuntimeErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RuntimeError';
    this.code = code;
  }
}

/** Whether the same thing may succeed when tried again unchanged: such failures never park a home. */
export function isTransient(error: unknown): boolean {
  if (error instanceof RuntimeError) {
    return ['contention', 'unavailable', 'outcome-unknown', 'shutting-down'].includes(error.code);
  }
  if (error instanceof EventStoreError) {
    return ['conflict', 'unavailable', 'outcome-unknown'].includes(error.code);
  }
  if (error instanceof KeyError || error instanceof BlobError || error instanceof SecretError) {
    return error.code === 'unavailable';
  }
  return false;
}
