/**
 * Who is connecting? Every connection, in process or over a socket, comes through this gate: it gets a
 * nonce, proves by a signature that it holds the node's key (or enrols one by a token), and only then
 * does the endpoint hear it. A key that is revoked later is shown out as soon as that is known here.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';

import {
  type ClosingReason,
  type EndpointMessage,
  type GreetingMessage,
  GreetingMessageSchema,
  type IdentifyMessage,
  IdentifyMessageSchema,
  NODE_PROTOCOL,
  nodeOfToken,
  signedBy,
} from '@bivouac/events/node';

import { EnrolNode, IdentityOfNode } from './api/index.ts';
import type { NodeConnection, NodeEndpointOptions } from './node-endpoint-options.ts';

/** How long a connection may take to prove itself, in milliseconds. */
const PATIENCE = 10_000;

export interface NodeGateOptions extends Pick<
  NodeEndpointOptions,
  'command' | 'query' | 'clock' | 'log'
> {
  /** Where those go that are who they say. */
  readonly endpoint: {
    readonly connect: (
      nodeId: string,
      send: (message: EndpointMessage) => void | Promise<void>,
    ) => NodeConnection;
  };
  readonly random: (bytes: number) => Uint8Array;
  /**
   * Calls back for each `containers.NodeIdentityRevoked` with the key that is none any more; early,
   * late and double calls do no harm. Answers a function that ends it.
   */
  readonly onRevoked: (listener: (nodeId: string, publicKey: string) => void) => () => void;
}

/** What a connection is told: of the handshake, then of the protocol. */
export type ToldMessage = GreetingMessage | EndpointMessage;

export interface NodeGate {
  /** Takes a connection of whoever it may be; after a message of type `closing` no more come. */
  accept(send: (message: ToldMessage) => void | Promise<void>): NodeConnection;
  /**
   * Revocations may have gone unheard: everybody inside is looked up again, and shown out where the key
   * is not the node's any more. One that cannot be looked up stays: it is asked for again.
   */
  recheck(): void;
  /** Takes nobody any more; those inside are the endpoint's to close. */
  close(): void;
}

export function nodeGate(options: NodeGateOptions): NodeGate {
  const visitors = new Set<Visitor>();
  const forget = options.onRevoked((nodeId, publicKey) => {
    for (const visitor of [...visitors]) visitor.revoked(nodeId, publicKey);
  });
  let closed = false;
  return {
    accept(send) {
      const visitor = new Visitor(options, send, () => visitors.delete(visitor));
      visitors.add(visitor);
      if (closed) visitor.end('shutdown', 'This endpoint is stopping; connect again.');
      else visitor.challenge();
      return visitor;
    },
    recheck() {
      for (const visitor of [...visitors]) visitor.recheck();
    },
    close() {
      closed = true;
      forget();
      for (const visitor of [...visitors]) visitor.turnAway();
    },
  };
}

/** One connection: a stranger first, then perhaps a node's. */
class Visitor implements NodeConnection {
  readonly #options: NodeGateOptions;
  readonly #send: (message: ToldMessage) => void | Promise<void>;
  readonly #left: () => void;
  readonly #over = new AbortController();
  readonly #nonce: string;
  /** Who it says it is, from then on when it is being looked at. */
  #claim: IdentifyMessage | undefined;
  #inside: NodeConnection | undefined;
  #rechecking = false;

  constructor(
    options: NodeGateOptions,
    send: (message: ToldMessage) => void | Promise<void>,
    left: () => void,
  ) {
    this.#options = options;
    this.#send = send;
    this.#left = left;
    this.#nonce = Buffer.from(options.random(32)).toString('base64url');
  }

  challenge(): void {
    this.#tell({ type: 'challenge', nonce: this.#nonce, protocol: NODE_PROTOCOL });
    void this.#options.clock.sleep(PATIENCE, this.#over.signal).then(() => {
      if (this.#inside === undefined)
        this.end('protocol', 'Nobody has proved to be a node in time; connect again.');
    });
  }

  receive(raw: unknown): void {
    if (this.#over.signal.aborted) return;
    if (this.#inside !== undefined) {
      this.#inside.receive(raw);
      return;
    }
    const parsed = IdentifyMessageSchema.safeParse(raw);
    if (!parsed.success) {
      this.end('protocol', `Say who you are first: ${parsed.error.message}`);
    } else if (this.#claim !== undefined) {
      this.end('protocol', 'Say who you are once, and wait to be admitted.');
    } else {
      this.#claim = parsed.data;
      void this.#examine(parsed.data).catch((error: unknown) => {
        this.#options.log(
          'error',
          { nodeId: parsed.data.nodeId, error: String(error) },
          'a connection could not be examined',
        );
        this.end('trouble', 'Who you are cannot be looked up just now; connect again.');
      });
    }
  }

  settled(): Promise<void> {
    return this.#inside?.settled() ?? Promise.resolve();
  }

  close(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#left();
    this.#inside?.close();
  }

  end(reason: ClosingReason, message: string): void {
    if (this.#over.signal.aborted) return;
    this.#tell({ type: 'closing', reason, message: message.slice(0, 2000) });
    this.close();
  }

  /** The gate has closed; one that is inside already goes when the endpoint closes. */
  turnAway(): void {
    if (this.#inside === undefined)
      this.end('shutdown', 'This endpoint is stopping; connect again.');
  }

  recheck(): void {
    if (this.#inside === undefined || this.#claim === undefined || this.#rechecking) return;
    const { nodeId, publicKey } = this.#claim;
    this.#rechecking = true;
    void this.#options
      .query(nodeId, IdentityOfNode, { nodeId })
      .then((reply) => {
        if (reply.ok && reply.result?.publicKey !== publicKey)
          this.end('revoked', keyRevoked(nodeId));
      })
      .catch((error: unknown) => {
        this.#options.log('warn', { nodeId, error: String(error) }, 'a node cannot be looked up');
      })
      .finally(() => {
        this.#rechecking = false;
      });
  }

  revoked(nodeId: string, publicKey: string): void {
    if (this.#claim?.nodeId === nodeId && this.#claim.publicKey === publicKey)
      this.end('revoked', keyRevoked(nodeId));
  }

  async #examine(claim: IdentifyMessage): Promise<void> {
    const { nodeId, publicKey, protocol, token } = claim;
    if (protocol !== NODE_PROTOCOL) {
      this.end(
        'protocol',
        `This endpoint speaks protocol ${NODE_PROTOCOL}, the agent ${protocol}; install a matching agent.`,
      );
      return;
    }
    if (!holdsKey(claim, this.#nonce)) {
      this.end('wrong-key', `The signature is not made with the key that was shown for ${nodeId}.`);
      return;
    }
    const enrolled = token === undefined ? {} : await this.#enrol(nodeId, publicKey, token);
    if (enrolled === undefined) return;
    const reply = await this.#options.query(nodeId, IdentityOfNode, { nodeId }, enrolled.position);
    if (this.#over.signal.aborted) return;
    if (!reply.ok) {
      this.end(
        'trouble',
        `Who you are cannot be looked up (${reply.refusal.message}); connect again.`,
      );
      return;
    }
    const identity = reply.result;
    if (identity === null)
      this.end('unknown-node', `No node ${nodeId} is registered; register it first.`);
    else if (identity.publicKey === publicKey) this.#admit(nodeId);
    else if (identity.revokedKeys.includes(publicKey)) this.end('revoked', keyRevoked(nodeId));
    else if (identity.publicKey === null)
      this.end(
        'not-enrolled',
        `Node ${nodeId} has no key; open an enrolment and start its agent with the token.`,
      );
    else
      this.end(
        'wrong-key',
        `Node ${nodeId} is known by another key; start the agent on the folder that has it, or enrol it anew.`,
      );
  }

  /** Undefined where it was refused, and the connection is over. */
  async #enrol(
    nodeId: string,
    publicKey: string,
    token: string,
  ): Promise<{ readonly position?: string } | undefined> {
    if (nodeOfToken(token) !== nodeId) {
      this.end(
        'enrolment',
        `The token is not of node ${nodeId}; take the one that was opened for it.`,
      );
      return undefined;
    }
    const tokenDigest = createHash('sha256').update(token).digest('hex');
    const input = { nodeId, publicKey, tokenDigest };
    const key = `${publicKey} ${tokenDigest}`;
    const reply = await this.#options.command(nodeId, EnrolNode, input, key);
    if (reply.ok) return reply.position === undefined ? {} : { position: reply.position };
    const { refusal } = reply;
    if (refusal.retryable === true)
      this.end(
        'trouble',
        `The key cannot be enrolled just now (${refusal.message}); connect again.`,
      );
    else if (refusal.code === 'NODE_UNKNOWN') this.end('unknown-node', refusal.message);
    else this.end('enrolment', `${refusal.code}: ${refusal.message}`);
    return undefined;
  }

  #admit(nodeId: string): void {
    this.#tell({ type: 'admitted', nodeId });
    this.#inside = this.#options.endpoint.connect(nodeId, (message) => {
      const sent = this.#over.signal.aborted ? undefined : this.#send(message);
      // What the endpoint closes is closed; it has said so.
      if (message.type === 'closing') this.close();
      return sent;
    });
  }

  #tell(message: GreetingMessage): void {
    void this.#send(GreetingMessageSchema.parse(message));
  }
}

function keyRevoked(nodeId: string): string {
  return `This key of node ${nodeId} was revoked; enrol the agent anew to get another.`;
}

function holdsKey(claim: IdentifyMessage, nonce: string): boolean {
  const { nodeId, protocol, publicKey, signature } = claim;
  const text = signedBy({ nodeId, nonce, protocol, publicKey });
  try {
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: publicKey },
      format: 'jwk',
    });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  } catch {
    // Not every 32 bytes are a point of the curve.
    return false;
  }
}
