/**
 * Who a process is towards the services: a name and an Ed25519 key in a file of its own. It signs
 * short-lived tokens (JWT, EdDSA), one for each service, and hands each out until it is half used.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';

import { SignJWT } from 'jose';
import { z } from 'zod';

import { fileTrouble, readIfThere } from '../blobs/durable-file.ts';
import type { Clock } from '../runtime/clock.ts';
import { IdentityError } from './errors.ts';
import { keyIdOf, TOKEN_SECONDS, TOKEN_TYPE } from './token.ts';

/** What names a caller: `gateway`, `endpoint`, `seed`. */
export const CallerNameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, {
  error: 'expected a name like gateway: small letters, digits and dashes',
});

/** The file of an identity. */
export const IdentityFileSchema = z.strictObject({
  name: CallerNameSchema,
  /** Ed25519, 32 bytes in base64url. */
  publicKey: z.string().regex(/^[\w-]{43}$/),
  /** PKCS #8, PEM. */
  privateKey: z.string(),
});

export interface Identity {
  readonly name: string;
  /** Ed25519, 32 bytes in base64url. */
  readonly publicKey: string;
  /** A token for a service that is good for half a minute at least. */
  tokenFor(service: string, clock: Clock): Promise<string>;
}

/**
 * Opens the identity in a file.
 *
 * @throws {IdentityError} naming the file and the remedy
 */
export async function openIdentity(file: string): Promise<Identity> {
  const stored = await storedIn(file);
  const key = privateKeyIn(file, stored.privateKey);
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  if (key.asymmetricKeyType !== 'ed25519' || x !== stored.publicKey)
    throw unreadable(file, 'its public key is not that of its private key');
  const kid = keyIdOf(stored.publicKey);
  const tokens = new Map<string, { readonly token: Promise<string>; readonly until: number }>();
  return {
    name: stored.name,
    publicKey: stored.publicKey,
    tokenFor: (service, clock) => {
      const now = clock.now();
      const known = tokens.get(service);
      // A clock that was set back must not hand out what is not valid yet.
      if (known !== undefined && now < known.until && now >= known.until - HALF_LIFE)
        return known.token;
      const issued = Math.floor(now / 1000);
      const token = new SignJWT()
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: TOKEN_TYPE })
        .setIssuer(stored.name)
        .setAudience(service)
        .setIssuedAt(issued)
        .setExpirationTime(issued + TOKEN_SECONDS)
        .sign(key);
      tokens.set(service, { token, until: now + HALF_LIFE });
      return token;
    },
  };
}

const HALF_LIFE = (TOKEN_SECONDS / 2) * 1000;

async function storedIn(file: string): Promise<z.output<typeof IdentityFileSchema>> {
  let text: string | undefined;
  let mode: number;
  try {
    text = (await readIfThere(file))?.toString('utf8');
    mode = text === undefined ? 0 : (await stat(file)).mode;
  } catch (cause) {
    throw new IdentityError('unreadable', fileTrouble('read', file, cause), { cause });
  }
  if (text === undefined) {
    throw new IdentityError(
      'missing',
      `There is no identity in ${file}: make one with \`npm run bivouac -- identity new\`.`,
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new IdentityError(
      'exposed',
      `${file} can be read by other users (mode ${(mode & 0o777).toString(8)}): chmod 600 it.`,
    );
  }
  const parsed = IdentityFileSchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no identity'}`);
  }
  return parsed.data;
}

function privateKeyIn(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw unreadable(file, 'its private key is none');
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(file: string, what: string): IdentityError {
  return new IdentityError(
    'unreadable',
    `${file} is no identity (${what}): restore it, or make another with \`npm run bivouac -- identity new\`.`,
  );
}
