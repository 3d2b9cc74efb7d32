/** Several openings of one store as one: each call goes to the next of them. */
import type { Blobs } from '../../blobs/port.ts';
import type { Secrets } from '../../secrets/port.ts';
import type { Keys } from '../port.ts';

export function alternatingKeys(openings: readonly Keys[]): Keys {
  const next = inTurn(openings);
  return {
    seal: (person, purpose, clear) => next().seal(person, purpose, clear),
    open: (sealed) => next().open(sealed),
    hmac: (owner, bytes) => next().hmac(owner, bytes),
    destroy: (person, purposes) => next().destroy(person, purposes),
    forget: (person, purposes) => {
      for (const opening of openings) opening.forget(person, purposes);
    },
    close: () => closeAll(openings),
  };
}

export function alternatingSecrets(openings: readonly Secrets[]): Secrets {
  const next = inTurn(openings);
  return {
    put: (reference, clear) => next().put(reference, clear),
    get: (reference) => next().get(reference),
    destroy: (reference) => next().destroy(reference),
    close: () => closeAll(openings),
  };
}

export function alternatingBlobs(openings: readonly Blobs[]): Blobs {
  const next = inTurn(openings);
  return {
    put: (content) => next().put(content),
    get: (digest) => next().get(digest),
  };
}

function inTurn<T>(openings: readonly T[]): () => T {
  let turn = 0;
  return () => {
    const opening = openings[turn++ % openings.length];
    if (opening === undefined) throw new RangeError('there is no opening to take turns');
    return opening;
  };
}

async function closeAll(openings: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(openings.map((opening) => opening.close()));
}
