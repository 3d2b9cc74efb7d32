/** Why a repository's metadata was not taken. Nothing of it is recorded then. */
import type { ReadingFailure } from '../domain/repository.ts';

export class RepodataError extends Error {
  readonly code: ReadingFailure;
  constructor(code: ReadingFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RepodataError';
    this.code = code;
  }
}
