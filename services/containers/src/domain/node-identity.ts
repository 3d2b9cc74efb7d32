/** Which key is the node's: enrolled by a token that is good once and for a while, revoked for ever. */
import {
  NodeEnrolled,
  NodeEnrolmentOpened,
  type nodeEvents,
  NodeIdentityRevoked,
} from '@bivouac/events/containers';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  refuse,
} from '@bivouac/events/language';
import { plusSeconds } from '@bivouac/events/values';

import { unknownNode } from './node-refusals.ts';
import type { NodeIdentity, NodeState } from './node-state.ts';

export function noIdentity(): NodeIdentity {
  return { identity: undefined, enrolment: undefined, revokedKeys: new Set() };
}

export function evolveIdentity(
  state: NodeIdentity,
  event: EventOf<(typeof nodeEvents)[number]>,
): void {
  if (is(event, NodeEnrolmentOpened)) {
    const { tokenDigest, expiresAt } = event.data;
    state.enrolment = { tokenDigest, expiresAt };
  } else if (is(event, NodeEnrolled)) {
    const { publicKey, tokenDigest } = event.data;
    state.identity = { publicKey, tokenDigest };
    state.enrolment = undefined;
  } else if (is(event, NodeIdentityRevoked)) {
    if (event.data.publicKey !== null) state.revokedKeys.add(event.data.publicKey);
    state.identity = undefined;
    state.enrolment = undefined;
  }
}

/** Refused: NODE_UNKNOWN. */
export function openEnrolment(
  state: NodeState,
  input: {
    readonly nodeId: string;
    readonly tokenDigest: string;
    readonly validSeconds: number;
  },
  { now }: Pick<DecideContext, 'now'>,
): Decision {
  const { nodeId, tokenDigest, validSeconds } = input;
  if (!state.registered) return unknownNode(nodeId);
  const expiresAt = plusSeconds(now, validSeconds);
  return accept(NodeEnrolmentOpened({ nodeId, tokenDigest, expiresAt }));
}

/**
 * Makes a key the node's, in the place of another. The same key by the same token again changes
 * nothing. Refused: NODE_UNKNOWN, ENROLMENT_NOT_OPEN, ENROLMENT_EXPIRED, NODE_KEY_REVOKED.
 */
export function enrolNode(
  state: NodeState,
  input: { readonly nodeId: string; readonly publicKey: string; readonly tokenDigest: string },
  { now }: Pick<DecideContext, 'now'>,
): Decision {
  const { nodeId, publicKey, tokenDigest } = input;
  const { identity, enrolment } = state;
  if (!state.registered) return unknownNode(nodeId);
  if (identity?.publicKey === publicKey && identity.tokenDigest === tokenDigest) return accept();
  if (enrolment?.tokenDigest !== tokenDigest) {
    return refuse(
      'ENROLMENT_NOT_OPEN',
      `This enrolment token of node ${nodeId} was used, replaced or never given out; open another enrolment.`,
    );
  }
  if (now > enrolment.expiresAt) {
    return refuse(
      'ENROLMENT_EXPIRED',
      `This enrolment token of node ${nodeId} was good until ${enrolment.expiresAt}; open another enrolment.`,
    );
  }
  if (state.revokedKeys.has(publicKey)) {
    return refuse(
      'NODE_KEY_REVOKED',
      `This key of node ${nodeId} was revoked and is none for ever; let the agent make a new one.`,
    );
  }
  const events: Decided[] = [];
  if (identity !== undefined && identity.publicKey !== publicKey) {
    const reason = 'replaced by a new enrolment';
    events.push(NodeIdentityRevoked({ nodeId, publicKey: identity.publicKey, reason }));
  }
  return accept(...events, NodeEnrolled({ nodeId, publicKey, tokenDigest }));
}

/** Ends the node's key and an open token; where there is neither, nothing. Refused: NODE_UNKNOWN. */
export function revokeIdentity(
  state: NodeState,
  { nodeId, reason }: { readonly nodeId: string; readonly reason: string },
): Decision {
  if (!state.registered) return unknownNode(nodeId);
  if (state.identity === undefined && state.enrolment === undefined) return accept();
  const publicKey = state.identity?.publicKey ?? null;
  return accept(NodeIdentityRevoked({ nodeId, publicKey, reason }));
}
