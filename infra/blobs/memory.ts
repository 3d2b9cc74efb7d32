/** Blobs in memory: for tests and the demo. */
import { checkDigest, digestOf } from './digest.ts';
import type { Blobs } from './port.ts';

export function memoryBlobs(): Blobs {
  const contents = new Map<string, Uint8Array>();
  return {
    put: async (content) => {
      const digest = digestOf(content);
      if (!contents.has(digest)) contents.set(digest, Uint8Array.from(content));
      return digest;
    },
    get: async (digest) => {
      checkDigest(digest);
      const content = contents.get(digest);
      return content === undefined ? undefined : Uint8Array.from(content);
    },
  };
}
