/**
 * How a connection becomes a node's, before the protocol of `messages.ts` begins: the endpoint sends
 * a nonce, the agent signs it with the node's own Ed25519 key. The nonce is of this connection alone,
 * so a signature heard on one says nothing on another. With a token, a key is enrolled on the way.
 */
import { z } from 'zod';

import { canonicalText } from '../language/index.ts';
import { idOf } from '../values/index.ts';
import { ClosingReasonSchema } from './messages.ts';

/** 32 bytes in base64url. */
const Bytes32Schema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** `<node id>.<secret>`: what staff hand to whoever sets up a node's agent. */
export const EnrolmentTokenSchema = z.string().regex(/^nod_[0-9a-z]{26}\.[A-Za-z0-9_-]{43}$/, {
  error: 'expected an enrolment token like nod_….…, whole and on one line',
});

/** The node whose token this is. */
export function nodeOfToken(token: string): string {
  return token.slice(0, token.indexOf('.'));
}

/** From the agent: who it is, and the proof. */
export const IdentifyMessageSchema = z.strictObject({
  type: z.literal('identify'),
  nodeId: idOf('node'),
  protocol: z.number().int(),
  /** Ed25519, 32 bytes in base64url. */
  publicKey: Bytes32Schema,
  /** Of {@link signedBy}, 64 bytes in base64url. */
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
  /** Where the key is to be enrolled first. */
  token: EnrolmentTokenSchema.optional(),
});
export type IdentifyMessage = z.output<typeof IdentifyMessageSchema>;

/** From the endpoint. */
export const GreetingMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('challenge'),
    nonce: Bytes32Schema,
    protocol: z.number().int(),
  }),
  /** It is the node's: hello may follow. */
  z.strictObject({ type: z.literal('admitted'), nodeId: idOf('node') }),
  z.strictObject({
    type: z.literal('closing'),
    reason: ClosingReasonSchema,
    message: z.string().max(2000),
  }),
]);
export type GreetingMessage = z.output<typeof GreetingMessageSchema>;

/** The text an agent signs: its purpose first, so that it is never mistaken for another signature. */
export function signedBy(facts: {
  readonly nodeId: string;
  readonly nonce: string;
  readonly protocol: number;
  readonly publicKey: string;
}): string {
  const { nodeId, nonce, protocol, publicKey } = facts;
  return `bivouac node connection\n${canonicalText({ nodeId, nonce, protocol, publicKey })}`;
}
