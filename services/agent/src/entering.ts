/**
 * The way in: over whatever carries messages, the agent answers the endpoint's challenge with its
 * key's signature, and is connected once it is admitted.
 */
import { GreetingMessageSchema, NODE_PROTOCOL, signedBy } from '@bivouac/events/node';

import { type Connect, NotAdmitted } from './connection.ts';
import type { AgentIdentity } from './identity.ts';

/** What carries messages, whoever is at the other end: a socket, or a call in the same process. */
export interface Carrier {
  send(message: unknown): void;
  close(): void;
}

/** Opens one; it calls `closed` once, and `message` never after it. */
export type Dial = (handlers: {
  readonly message: (message: unknown) => void;
  readonly closed: (why: string) => void;
}) => Promise<Carrier>;

/** Connects as a node: rejects with {@link NotAdmitted} where the endpoint says why not. */
export function enteringAs(identity: AgentIdentity, dial: Dial): Connect {
  return (receive, closed) =>
    new Promise((resolve, reject) => {
      let inside = false;
      let carrier: Carrier | undefined;
      /** What comes before `dial` has answered waits for the answer. */
      const early: unknown[] = [];
      const fail = (error: Error): void => {
        reject(error);
        carrier?.close();
      };
      const greet = (raw: unknown, by: Carrier): void => {
        const parsed = GreetingMessageSchema.safeParse(raw);
        if (!parsed.success) {
          fail(new Error(`The endpoint's greeting is not understood: ${parsed.error.message}`));
          return;
        }
        const message = parsed.data;
        switch (message.type) {
          case 'challenge':
            by.send(identify(identity, message.nonce));
            return;
          case 'closing':
            fail(new NotAdmitted(message.reason, message.message));
            return;
          case 'admitted':
            // Messages may follow before the file is moved: it only spares showing the token again.
            inside = true;
            identity.admitted().then(
              () => {
                resolve(by);
              },
              (error: unknown) => {
                fail(new Error('The identity cannot be kept; mend the disk.', { cause: error }));
              },
            );
        }
      };
      const message = (raw: unknown): void => {
        if (carrier === undefined) early.push(raw);
        else if (inside) receive(raw);
        else greet(raw, carrier);
      };
      dial({
        message,
        closed: (why) => {
          // Settled already where it was admitted; then the agent hears of it.
          reject(new Error(`The connection ended: ${why}`));
          closed(why);
        },
      }).then((opened) => {
        carrier = opened;
        for (const raw of early.splice(0)) message(raw);
      }, reject);
    });
}

function identify(identity: AgentIdentity, nonce: string): Record<string, unknown> {
  const { nodeId, publicKey, token } = identity;
  const text = signedBy({ nodeId, nonce, protocol: NODE_PROTOCOL, publicKey });
  return {
    type: 'identify',
    nodeId,
    protocol: NODE_PROTOCOL,
    publicKey,
    signature: identity.sign(text),
    ...(token === undefined ? {} : { token }),
  };
}
