/** Makes the identity of a process: its private key in a file of its own, its public key among those trusted. */
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import {
  createFile,
  fileTrouble,
  readCreated,
  readIfThere,
  replaceFile,
} from '../blobs/durable-file.ts';
import { IdentityError } from './errors.ts';
import { CallerNameSchema } from './identity.ts';
import { readTrustFile, type TrustFile } from './trusted.ts';
import type { PrincipalKind } from './wire.ts';

export interface NewIdentity {
  /** The file for IDENTITY_FILE, for its owner alone. */
  readonly identity: string;
  /** The file for TRUSTED_CALLERS_FILE, which holds nothing secret. */
  readonly trusted: string;
  readonly publicKey: string;
  readonly principals: readonly PrincipalKind[];
}

/** For whom the processes of the installation speak. */
const SPEAKS_FOR: ReadonlyMap<string, readonly PrincipalKind[]> = new Map([
  ['gateway', ['member', 'key', 'system']],
  ['endpoint', ['node', 'system']],
  ['seed', ['key', 'system']],
]);

/**
 * Writes `<folder>/<file>.json` (0600) and adds the public key to `<folder>/trusted-callers.json`.
 *
 * @param options.file the file's name where it is not the caller's: a second key of the same name,
 *   before the first is taken out of the trusted
 * @throws {IdentityError} naming the file and the remedy; nothing is overwritten
 */
export async function createIdentity(options: {
  readonly folder: string;
  readonly name: string;
  readonly file?: string | undefined;
  /** For whom it may speak; needed for a name that is none of the installation's own. */
  readonly principals?: readonly PrincipalKind[] | undefined;
}): Promise<NewIdentity> {
  const { folder } = options;
  const name = nameOf(options.name);
  const identity = join(folder, `${nameOf(options.file ?? name)}.json`);
  const trusted = join(folder, 'trusted-callers.json');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = (await readIfThere(trusted)) === undefined ? {} : await readTrustFile(trusted);
    const known = Object.hasOwn(file, name) ? file[name] : undefined;
    const principals = options.principals ?? known?.principals ?? SPEAKS_FOR.get(name);
    if (principals === undefined || principals.length === 0) {
      throw new IdentityError(
        'unreadable',
        `Say for whom ${name} may speak, e.g. --principals system: no process of the installation has that name.`,
      );
    }
    const { publicKey, text } = made(name);
    const content = Buffer.from(text, 'utf8');
    await createFile(identity, content);
    // Of several makers at once one has made it.
    if ((await readCreated(identity))?.equals(content) !== true) {
      throw new IdentityError(
        'exists',
        `${identity} is there already: it stays. To replace its key, make a second one with --file.`,
      );
    }
    const entry = { keys: [...(known?.keys ?? []), publicKey], principals: [...principals] };
    const next: TrustFile = { ...file, [name]: entry };
    await replaceFile(trusted, Buffer.from(`${JSON.stringify(next, null, 2)}\n`, 'utf8'));
    // Services may run as other users.
    await chmod(trusted, 0o644);
    return { identity, trusted, publicKey, principals };
  } catch (cause) {
    if (cause instanceof IdentityError) throw cause;
    throw new IdentityError('unreadable', fileTrouble('write into', folder, cause), { cause });
  }
}

function nameOf(given: string): string {
  const parsed = CallerNameSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new IdentityError(
    'unreadable',
    `${JSON.stringify(given)} is no name: ${parsed.error.issues.map(({ message }) => message).join('; ')}.`,
  );
}

function made(name: string): { readonly publicKey: string; readonly text: string } {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = pair.publicKey.export({ format: 'jwk' }).x ?? '';
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { publicKey, text: `${JSON.stringify({ name, publicKey, privateKey }, null, 2)}\n` };
}
