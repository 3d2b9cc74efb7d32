/** Who a hardware node's agent is: enrolling its key and revoking it, for the provider's staff. */
import { type NodeView, OpenNodeEnrolment, RevokeNodeIdentity } from '@bivouac/containers/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, PayloadRef } from '../language/mutation.ts';
import { HardwareNodeRef } from './hardware-node.ts';
import { type NodePayload, NodePayloadRef } from './platform-mutations.ts';

const NodeIdentityRef = builder
  .objectRef<NonNullable<NodeView['identity']>>('NodeIdentity')
  .implement({
    description: 'The key by which a node’s agent proves who it is.',
    fields: (t) => ({
      publicKey: t.exposeString('publicKey', {
        description: 'The public key: Ed25519, 32 bytes in base64url.',
      }),
      since: t.expose('since', { type: 'DateTime', description: 'Since when.' }),
    }),
  });

const RevokedNodeKeyRef = builder
  .objectRef<NodeView['revokedKeys'][number]>('RevokedNodeKey')
  .implement({
    description: 'A key that was a node’s once, and is refused.',
    fields: (t) => ({
      publicKey: t.exposeString('publicKey', { description: 'The public key.' }),
      at: t.expose('at', { type: 'DateTime', description: 'Since when it is refused.' }),
    }),
  });

builder.objectField(HardwareNodeRef, 'identity', (t) =>
  t.expose('identity', {
    type: NodeIdentityRef,
    nullable: true,
    description: 'Who its agent is; null where none is enrolled, and none can connect.',
  }),
);

builder.objectField(HardwareNodeRef, 'enrolmentOpenUntil', (t) =>
  t.field({
    type: 'DateTime',
    nullable: true,
    description: 'Until when its open enrolment token is good; null where none is open.',
    resolve: ({ enrolment }) => enrolment?.expiresAt,
  }),
);

builder.objectField(HardwareNodeRef, 'revokedKeys', (t) =>
  t.expose('revokedKeys', {
    type: [RevokedNodeKeyRef],
    description: 'Keys that were its agent’s once; oldest first.',
    extensions: { size: 5 },
  }),
);

interface EnrolmentPayload extends NodePayload {
  readonly token: string | null;
  readonly expiresAt: string;
}

const NodeEnrolmentOpened = builder.objectRef<EnrolmentPayload>('NodeEnrolmentOpened').implement({
  description: 'An agent that shows the token becomes the node’s.',
  interfaces: [PayloadRef, NodePayloadRef],
  fields: (t) => ({
    token: t.exposeString('token', {
      nullable: true,
      description:
        'The token: good once, shown here and never again. Null in a repeat; where the first ' +
        'answer was lost, open another enrolment.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it is good.' }),
  }),
});

mutation('openNodeEnrolment', {
  description:
    'For the staff: lets an agent enrol a key of its own as the node’s. A token opened before is ' +
    'void; the key the node has is good until the new one is enrolled, and refused from then on.',
  input: builder.inputType('OpenNodeEnrolmentInput', {
    description: 'Which node.',
    fields: (t) => ({
      nodeId: t.id({ description: 'The node.' }),
      validSeconds: t.int({
        required: false,
        description: 'How long the token is good: 60 to 604800; an hour unless told.',
      }),
    }),
  }),
  type: NodeEnrolmentOpened,
  act: ({ nodeId, validSeconds }, key, { services }) =>
    services.command(OpenNodeEnrolment, { nodeId, ...given({ validSeconds }) }, key),
  payload: ({ nodeId, token, expiresAt }) => ({ nodeId, token, expiresAt }),
});

const NodeIdentityRevoked = builder.objectRef<NodePayload>('NodeIdentityRevoked').implement({
  description: 'The node’s agent is shown out and refused until it is enrolled anew.',
  interfaces: [PayloadRef, NodePayloadRef],
});

mutation('revokeNodeIdentity', {
  description:
    'For the staff: ends the key of a node’s agent for ever, and an open enrolment. Containers go on ' +
    'running; nothing is ordered of the node until an agent is enrolled anew.',
  input: builder.inputType('RevokeNodeIdentityInput', {
    description: 'Which node and why.',
    fields: (t) => ({
      nodeId: t.id({ description: 'The node.' }),
      reason: t.string({ description: 'Why; 1 to 500 characters.' }),
    }),
  }),
  type: NodeIdentityRevoked,
  act: (input, key, { services }) => services.command(RevokeNodeIdentity, { ...input }, key),
  payload: ({ nodeId }) => ({ nodeId }),
});
