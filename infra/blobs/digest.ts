/** A blob's name: the lower-case hex SHA-256 of its content. */
import { createHash } from 'node:crypto';

import { BlobError } from './port.ts';

export function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Refuses what cannot be a blob's name, before it becomes a path. */
export function checkDigest(digest: string): void {
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new BlobError('invalid-name', 'a blob is named by 64 lower-case hex digits, its SHA-256');
  }
}
