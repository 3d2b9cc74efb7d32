/** Blobs: what is too large for an event. Put before the event, named by SHA-256, never changed. */
export interface Blobs {
  /** Stores the content durably and answers its lower-case hex SHA-256. The same content twice: once. */
  put(content: Uint8Array): Promise<string>;
  /** The content, or undefined where there is none of that name. Content that does not match its name is a BlobError `corrupt`. */
  get(digest: string): Promise<Uint8Array | undefined>;
}

export class BlobError extends Error {
  readonly code: 'corrupt' | 'unavailable' | 'invalid-name';
  constructor(
    code: 'corrupt' | 'unavailable' | 'invalid-name',
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BlobError';
    this.code = code;
  }
}
