/** Secrets in memory: for tests and the demo. */
import { checkSecret, SecretError } from './errors.ts';
import type { Secrets } from './port.ts';

export function memorySecrets(): Secrets {
  /** null: destroyed. A late repetition of the put must not bring it back. */
  const secrets = new Map<string, string | null>();
  let closed = false;
  const check = (reference: string, clear?: string): void => {
    if (closed)
      throw new SecretError('unavailable', 'the secrets are closed: the process is stopping');
    checkSecret(reference, clear);
  };
  return {
    put: async (reference, clear) => {
      check(reference, clear);
      if (!secrets.has(reference)) secrets.set(reference, clear);
    },
    get: async (reference) => {
      check(reference);
      return secrets.get(reference) ?? undefined;
    },
    destroy: async (reference) => {
      check(reference);
      secrets.set(reference, null);
    },
    close: async () => {
      closed = true;
      secrets.clear();
    },
  };
}
