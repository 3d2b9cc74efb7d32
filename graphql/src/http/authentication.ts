/**
 * Who a request is from: its Bearer key or invitation, asked of accounts by hash and remembered for at
 * most two seconds. A revoked key is refused everywhere soon after. No answer means refused.
 */
import {
  Authenticate,
  AuthenticateInvitation,
  readApiKey,
  readInvitation,
} from '@bivouac/accounts/api';
import { hashSecret, PROVIDER_ID } from '@bivouac/events/accounts';
import type { Position, Principal, QueryReply, ServiceCaller } from '@bivouac/events/language';
import { millisecondsOf } from '@bivouac/events/values';
import type { GraphQLError } from 'graphql';
import type { z } from 'zod';

import { requestError } from '../errors/request-error.ts';
import type { GatewayLogger } from '../request/services.ts';
import { type Viewer, viewerOf } from '../request/viewer.ts';
import { KeyUses } from './key-uses.ts';

/** Time, as the gateway needs it. */
export interface GatewayClock {
  now(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export interface AuthenticationOptions {
  readonly caller: ServiceCaller;
  readonly clock: GatewayClock;
  readonly logger: GatewayLogger;
  /** How long an answer is remembered, at most 2,000. */
  readonly rememberMs: number;
  /** How long accounts have to answer. */
  readonly deadlineMs: number;
}

/** The gateway's own principal: it asks accounts who a key belongs to, and says that it was used. */
const gateway: Principal = {
  id: 'system:gateway',
  kind: 'system',
  tenantId: PROVIDER_ID,
  homeId: PROVIDER_ID,
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};

/** The longest an answer is trusted: two seconds, so that a revocation is in force within five. */
const MAX_REMEMBER_MS = 2000;
const MAX_REMEMBERED = 10_000;

interface Remembered {
  readonly viewer: Viewer;
  readonly until: number;
  /** Of the view that the answer was read from. */
  readonly position: Position | null;
}

type Answer = QueryReply<z.output<typeof Authenticate.result>>;

export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #uses: KeyUses;
  /** By the hash of the secret, with the session where there is one; the secret is kept nowhere. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #asking = new Map<string, Promise<Viewer | GraphQLError>>();

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#uses = new KeyUses({ ...options, principal: gateway });
  }

  /**
   * The viewer of an `Authorization` header, or the error to refuse the request with. At once where
   * the key is remembered.
   *
   * @param atLeast also a key created, or an account made below, a moment ago is known by then.
   * @param actingId the session to act in, where one is named.
   */
  authenticate(
    header: string | null,
    atLeast: Position | undefined,
    actingId?: string,
  ): Viewer | GraphQLError | Promise<Viewer | GraphQLError> {
    if (header === null) {
      return unauthenticated('Send an API key: `Authorization: Bearer bvk_…`.');
    }
    const [, token = ''] = /^Bearer +(\S+) *$/i.exec(header) ?? [];
    // A known hash needs no look at the text: what hashes to it is the key.
    const hash = hashSecret(token);
    const name = actingId === undefined ? hash : `${hash}/${actingId}`;
    const known = this.#remembered.get(name);
    if (known !== undefined && this.#options.clock.now() < known.until && isOf(known, atLeast)) {
      this.#uses.note(known.viewer.keyId);
      return known.viewer;
    }
    const question = this.#questionOf(token, atLeast, actingId);
    if (question === undefined) {
      return unauthenticated(
        'The Authorization header holds no API key: expected `Bearer bvk_…`, whole and unchanged.',
      );
    }
    const asking = this.#asking.get(name) ?? this.#ask(name, question);
    this.#asking.set(name, asking);
    return asking;
  }

  /** What accounts are to be asked; undefined for what is no secret of ours. */
  #questionOf(
    token: string,
    atLeast: Position | undefined,
    actingId: string | undefined,
  ): { readonly id: string; readonly ask: () => Promise<Answer> } | undefined {
    const { caller } = this.#options;
    const call = { principal: gateway, atLeast };
    const key = readApiKey(token);
    if (key !== undefined) {
      const { keyId, hash: keyHash } = key;
      const input = { keyId, keyHash, ...(actingId === undefined ? {} : { actingId }) };
      return { id: keyId, ask: () => caller.query(Authenticate, input, call) };
    }
    const invitation = readInvitation(token);
    if (invitation === undefined) return undefined;
    const input = { invitationId: invitation.id, tokenHash: invitation.hash };
    return { id: invitation.id, ask: () => caller.query(AuthenticateInvitation, input, call) };
  }

  async #ask(
    name: string,
    { id, ask }: { readonly id: string; readonly ask: () => Promise<Answer> },
  ): Promise<Viewer | GraphQLError> {
    const { clock, logger, deadlineMs } = this.#options;
    // The answer is as old as the question.
    const askedAt = clock.now();
    const answered = new AbortController();
    try {
      const reply = await Promise.race([
        ask(),
        clock.sleep(deadlineMs, answered.signal).then(() => undefined),
      ]);
      if (reply === undefined) {
        logger.warn(
          { keyId: id },
          'accounts did not say in time who a key belongs to; it was refused',
        );
        return noAnswer();
      }
      if (!reply.ok) {
        return refusedKeys.has(reply.refusal.code)
          ? unauthenticated(reply.refusal.message, reply.refusal.code)
          : noAnswer();
      }
      const viewer = viewerOf(reply.result);
      this.#remember(name, viewer, askedAt, reply.position);
      this.#uses.note(viewer.keyId);
      return viewer;
    } catch (error) {
      logger.error({ keyId: id, err: error }, 'accounts could not be asked who a key belongs to');
      return noAnswer();
    } finally {
      answered.abort();
      this.#asking.delete(name);
    }
  }

  #remember(name: string, viewer: Viewer, askedAt: number, position: Position | null): void {
    const { rememberMs } = this.#options;
    const expires = viewer.expiresAt === null ? Infinity : millisecondsOf(viewer.expiresAt);
    this.#remembered.delete(name);
    this.#remembered.set(name, {
      viewer,
      position,
      until: Math.min(askedAt + Math.min(rememberMs, MAX_REMEMBER_MS), expires),
    });
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
}

/** Whether an answer knows what the caller wants to have been applied. Positions compare as text. */
function isOf({ position }: Remembered, atLeast: Position | undefined): boolean {
  return atLeast === undefined || (position !== null && position >= atLeast);
}

const refusedKeys = new Set([
  'KEY_UNKNOWN',
  'KEY_EXPIRED',
  'KEY_REVOKED',
  'ACTING_UNKNOWN',
  'ACTING_ENDED',
]);

function unauthenticated(message: string, reason?: string): GraphQLError {
  return requestError('UNAUTHENTICATED', message, reason === undefined ? {} : { reason });
}

function noAnswer(): GraphQLError {
  return requestError(
    'UNAUTHENTICATED',
    'Who the key belongs to could not be found out just now, so it was refused. Send the request again.',
    { reason: 'NO_ANSWER', retryable: true },
  );
}
