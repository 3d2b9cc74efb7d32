/**
 * Who this agent's node is: an Ed25519 key pair that the agent makes itself and that never leaves its
 * folder (`identity.json`, for its owner alone). A token makes a new pair, which stands aside
 * (`identity.next.json`) until the endpoint has admitted it: killed in between, the agent shows the
 * same pair and token again, and that is one enrolment.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { EnrolmentTokenSchema, nodeOfToken } from '@bivouac/events/node';
import { idOf } from '@bivouac/events/values';
import { z } from 'zod';

const IdentitySchema = z.strictObject({
  nodeId: idOf('node'),
  /** base64url of its 32 bytes. */
  publicKey: z.string().length(43),
  /** PKCS #8, PEM. */
  privateKey: z.string(),
  /** SHA-256 of the token it was made for. */
  tokenDigest: z.string().length(64),
});
type Stored = z.output<typeof IdentitySchema>;

export interface AgentIdentity {
  readonly nodeId: string;
  /** Ed25519, 32 bytes in base64url. */
  readonly publicKey: string;
  /** Shown until the key is admitted for the first time. */
  readonly token: string | undefined;
  /** The signature in base64url. */
  sign(text: string): string;
  /** The endpoint knows the key: from now on it is the node's only one. */
  admitted(): Promise<void>;
}

export type IdentityProblem =
  /** There is neither a key nor a token. */
  | 'identity-missing'
  /** The file is damaged or cannot be read. */
  | 'identity-unreadable'
  /** Others than its owner can read the file. */
  | 'identity-exposed'
  /** The token is none. */
  | 'token-malformed';

export class IdentityError extends Error {
  readonly code: IdentityProblem;
  constructor(code: IdentityProblem, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'IdentityError';
    this.code = code;
  }
}

/**
 * Opens the identity in a folder, or makes one for a token that was not used here before.
 *
 * @throws {IdentityError} naming the file and the remedy
 */
export async function openIdentity(options: {
  readonly folder: string;
  readonly token?: string | undefined;
}): Promise<AgentIdentity> {
  const { folder, token } = options;
  const files = { now: join(folder, 'identity.json'), next: join(folder, 'identity.next.json') };
  const now = await stored(files.now);
  const tokenDigest = token === undefined ? undefined : digestOf(token);
  if (token === undefined || tokenDigest === undefined || now?.tokenDigest === tokenDigest) {
    if (now !== undefined) return identityOf(now, undefined, () => Promise.resolve());
    throw new IdentityError(
      'identity-missing',
      `There is no identity in ${folder}: open an enrolment of the node (openNodeEnrolment) and start the agent with the token.`,
    );
  }
  let next = await stored(files.next);
  if (next?.tokenDigest !== tokenDigest) {
    next = made(nodeOfToken(token), tokenDigest);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await store(folder, files.next, next);
  }
  let admitted: Promise<void> | undefined;
  const identity = next;
  return identityOf(
    identity,
    () => (admitted === undefined ? token : undefined),
    () => (admitted ??= moved(folder, files.next, files.now)),
  );
}

function identityOf(
  { nodeId, publicKey, privateKey }: Stored,
  token: (() => string | undefined) | undefined,
  admitted: () => Promise<void>,
): AgentIdentity {
  const key: KeyObject = createPrivateKey(privateKey);
  return {
    nodeId,
    publicKey,
    get token() {
      return token?.();
    },
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
    admitted,
  };
}

function digestOf(token: string): string {
  const parsed = EnrolmentTokenSchema.safeParse(token);
  if (!parsed.success)
    throw new IdentityError(
      'token-malformed',
      `The enrolment token is none: ${parsed.error.issues.map((issue) => issue.message).join('; ')}.`,
    );
  return createHash('sha256').update(token).digest('hex');
}

function made(nodeId: string, tokenDigest: string): Stored {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  return IdentitySchema.parse({
    nodeId,
    publicKey: x,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    tokenDigest,
  });
}

async function stored(file: string): Promise<Stored | undefined> {
  const found = await stat(file).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw unreadable(file, error);
  });
  if (found === undefined) return undefined;
  if ((found.mode & 0o077) !== 0)
    throw new IdentityError(
      'identity-exposed',
      `Others can read the private key in ${file}: chmod 600 it, and enrol the node anew if it may be known.`,
    );
  try {
    return IdentitySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

function unreadable(file: string, cause: unknown): IdentityError {
  return new IdentityError(
    'identity-unreadable',
    `The identity in ${file} cannot be read; restore the file, or remove it and enrol the node anew.`,
    { cause },
  );
}

async function store(folder: string, file: string, identity: Stored): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(identity));
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await moved(folder, `${file}.new`, file);
}

async function moved(folder: string, from: string, to: string): Promise<void> {
  await rename(from, to);
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
