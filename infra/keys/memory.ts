/** Keys in memory: for tests. They end with the process, and so does all they have sealed. */
import { randomBytes } from 'node:crypto';

import { Keyring } from './keyring.ts';
import type { Keys } from './port.ts';
import { memoryShelf } from './shelf.ts';

/** @param options.master 32 bytes; absent: random. The same master gives homes the same HMAC keys. */
export function memoryKeys(options: { readonly master?: Uint8Array } = {}): Keys {
  return new Keyring(options.master ?? randomBytes(32), memoryShelf());
}
