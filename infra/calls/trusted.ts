/**
 * Whom a service answers: names with their public keys, and for which kinds of principals each may
 * speak, from one file that all services share. Whoever is not in it is refused.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';

import type { Principal } from '@bivouac/events/language';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { z } from 'zod';

import { fileTrouble, readIfThere } from '../blobs/durable-file.ts';
import type { Clock } from '../runtime/clock.ts';
import { IdentityError } from './errors.ts';
import { CallerNameSchema } from './identity.ts';
import { CLOCK_TOLERANCE_SECONDS, keyIdOf, TOKEN_SECONDS, TOKEN_TYPE } from './token.ts';
import { PrincipalKindSchema } from './wire.ts';

/** One caller in the file. */
const EntrySchema = z.strictObject({
  /** Ed25519, 32 bytes in base64url. Several while a key is replaced. */
  keys: z
    .array(
      z.string().regex(/^[\w-]{43}$/, { error: 'expected an Ed25519 public key in base64url' }),
    )
    .min(1)
    .max(8),
  /** Kinds of principals that the caller may speak for. */
  principals: z.array(PrincipalKindSchema).min(1),
});

/** The file: callers by name. */
export const TrustFileSchema = z.record(CallerNameSchema, EntrySchema, {
  error: ({ code }) => (code === 'invalid_key' ? 'expected a name like gateway' : undefined),
});
export type TrustFile = z.output<typeof TrustFileSchema>;

/** Who a token is from. */
export interface Caller {
  readonly name: string;
  /** Kinds of principals that it may speak for. */
  readonly principals: ReadonlySet<Principal['kind']>;
}

export interface TrustedCallers {
  /** Who signed a token for this service, or why it is not believed. */
  callerOf(
    token: string,
    service: string,
    clock: Clock,
  ): Promise<{ readonly caller: Caller } | { readonly refused: string }>;
}

/**
 * Reads the file of trusted callers.
 *
 * @throws {IdentityError} naming the file and the remedy
 */
export async function openTrustedCallers(file: string): Promise<TrustedCallers> {
  return trustedCallers(await readTrustFile(file));
}

/** The content of the file of trusted callers. */
export async function readTrustFile(file: string): Promise<TrustFile> {
  let text: string | undefined;
  try {
    text = (await readIfThere(file))?.toString('utf8');
  } catch (cause) {
    throw new IdentityError('unreadable', fileTrouble('read', file, cause), { cause });
  }
  if (text === undefined) {
    throw new IdentityError(
      'missing',
      `There is no ${file}: \`npm run bivouac -- identity new\` writes it beside the identity.`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new IdentityError('unreadable', `${file} is no JSON: restore it.`, { cause });
  }
  const parsed = TrustFileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`);
  throw new IdentityError('unreadable', `${file}: ${problems.join('; ')}.`);
}

interface Known extends Caller {
  readonly key: KeyObject;
}

/** Most tokens that are remembered as good. */
const MAX_REMEMBERED = 1000;

/** Callers as the file says. */
export function trustedCallers(file: TrustFile): TrustedCallers {
  const known = new Map<string, Known>();
  for (const [name, { keys, principals }] of Object.entries(file)) {
    for (const x of keys) {
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      known.set(keyIdOf(x), { name, principals: new Set(principals), key });
    }
  }
  /** Callers show a token again and again while it is good: its signature is looked at once. */
  const verified = new Map<string, { readonly caller: Known; readonly until: number }>();
  return {
    callerOf: async (token, service, clock) => {
      const name = `${service} ${token}`;
      const now = clock.now();
      const before = verified.get(name);
      if (before !== undefined && now < before.until) return { caller: before.caller };
      verified.delete(name);
      try {
        const { kid } = decodeProtectedHeader(token);
        const caller = known.get(kid ?? '');
        if (caller === undefined) return { refused: 'its key is not among those trusted here' };
        const { payload } = await jwtVerify(token, caller.key, {
          algorithms: ['EdDSA'],
          typ: TOKEN_TYPE,
          issuer: caller.name,
          audience: service,
          requiredClaims: ['exp', 'iat'],
          maxTokenAge: TOKEN_SECONDS,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(now),
        });
        if (verified.size >= MAX_REMEMBERED) verified.clear();
        const until = Math.min(payload.exp ?? 0, (payload.iat ?? 0) + TOKEN_SECONDS) * 1000;
        verified.set(name, { caller, until });
        return { caller };
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof TypeError)
          return { refused: error.message };
        throw error;
      }
    },
  };
}
