/** Commands of the staff: images, nodes, ranges. Platform things: each stream is its own home. */
import { createHash } from 'node:crypto';

import { NodeEnrolmentOpened } from '@bivouac/events/containers';
import { idFromUuid, parseCidr } from '@bivouac/events/values';
import { is } from '@bivouac/events/language';
import { handler } from '@bivouac/infra/runtime';

import {
  DeprecateImage,
  DestroyStray,
  DrainNode,
  EnrolNode,
  LabelNode,
  OpenNodeEnrolment,
  PublishImage,
  Reconcile,
  RegisterImage,
  RegisterNode,
  RegisterRange,
  ReportInventory,
  ReportStray,
  ReportStrayAnswer,
  RevokeNodeIdentity,
  TestImage,
  UndrainNode,
  WithdrawImage,
} from '../api/index.ts';
import { isGone } from '../domain/container/index.ts';
import {
  deprecateImage,
  draftImage,
  publishImage,
  testImage,
  withdrawImage,
} from '../domain/image.ts';
import { registerNode } from '../domain/node.ts';
import { drainNode, labelNode, reportInventory, undrainNode } from '../domain/node-keeping.ts';
import { enrolNode, openEnrolment, revokeIdentity } from '../domain/node-identity.ts';
import { rangeIdOf, registerRange } from '../domain/pool.ts';
import { orderReconciliation } from '../domain/reconciler.ts';
import { destroyStray, endDestruction, reportStray } from '../domain/strays.ts';
import { container, image, node, pool, reconciler, RECONCILER, streamOf } from './aggregates.ts';

const platform = () => 'platform' as const;
const idIn = (stream: string): string => stream.slice(stream.indexOf('-') + 1);

const ofImage = {
  stream: ({ imageId }: { readonly imageId: string }) => streamOf.image(imageId),
  result: (_events: unknown, { imageId }: { readonly imageId: string }) => ({ imageId }),
};
const ofNode = {
  stream: ({ nodeId }: { readonly nodeId: string }) => streamOf.node(nodeId),
  result: (_events: unknown, { nodeId }: { readonly nodeId: string }) => ({ nodeId }),
};

export const staffCommands = [
  handler(RegisterImage, image, {
    stream: (_input, { commandKey }) => streamOf.image(idFromUuid('image', commandKey)),
    owner: platform,
    prepare: async (input, { blobs }, { commandKey }) => ({
      input: {
        ...input,
        imageId: idFromUuid('image', commandKey),
        inventoryStored: (await blobs.get(input.inventory)) !== undefined,
      },
    }),
    decide: draftImage,
    result: (_events, _input, stream) => ({ imageId: idIn(stream) }),
  }),
  handler(TestImage, image, { ...ofImage, decide: testImage }),
  handler(PublishImage, image, { ...ofImage, decide: publishImage }),
  handler(DeprecateImage, image, { ...ofImage, decide: deprecateImage }),
  handler(WithdrawImage, image, { ...ofImage, decide: withdrawImage }),
  handler(LabelNode, node, { ...ofNode, decide: labelNode }),
  handler(DrainNode, node, { ...ofNode, decide: drainNode }),
  handler(UndrainNode, node, { ...ofNode, decide: undrainNode }),
  handler(OpenNodeEnrolment, node, {
    ...ofNode,
    prepare: (input, { random }) => {
      const token = `${input.nodeId}.${Buffer.from(random(32)).toString('base64url')}`;
      const tokenDigest = createHash('sha256').update(token).digest('hex');
      return Promise.resolve({ input: { ...input, tokenDigest }, reveal: { token } });
    },
    decide: openEnrolment,
    result: (events, { nodeId }) => {
      const opened = events.find((event) => is(event, NodeEnrolmentOpened));
      if (opened === undefined) throw new Error('an enrolment was opened without its event');
      return { nodeId, token: null, expiresAt: opened.data.expiresAt };
    },
  }),
  handler(EnrolNode, node, { ...ofNode, result: () => ({}), decide: enrolNode }),
  handler(RevokeNodeIdentity, node, { ...ofNode, decide: revokeIdentity }),
  handler(ReportInventory, node, { ...ofNode, result: () => ({}), decide: reportInventory }),
  handler(ReportStray, node, { ...ofNode, result: () => ({}), decide: reportStray }),
  handler(ReportStrayAnswer, node, { ...ofNode, result: () => ({}), decide: endDestruction }),
  handler(DestroyStray, node, {
    ...ofNode,
    prepare: async (input, _ports, { load }) => {
      const { state } = await load(container, streamOf.container(input.containerId));
      const here = state.place?.nodeId === input.nodeId && !isGone(state);
      return { input: { ...input, wanted: { here, generation: state.generation } } };
    },
    decide: destroyStray,
    result: (_events, { nodeId, containerId }) => ({ nodeId, containerId }),
  }),
  handler(Reconcile, reconciler, {
    stream: () => RECONCILER,
    owner: platform,
    decide: orderReconciliation,
    result: (_events, { nodeId }) => ({ nodeId: nodeId ?? null }),
  }),
  handler(RegisterNode, node, {
    stream: (_input, { commandKey }) => streamOf.node(idFromUuid('node', commandKey)),
    owner: platform,
    decide: (state, input, { stream }) => registerNode(state, { ...input, nodeId: idIn(stream) }),
    result: (_events, _input, stream) => ({ nodeId: idIn(stream) }),
  }),
  handler(RegisterRange, pool, {
    stream: ({ cidr }) => streamOf.pool(parseCidr(cidr).family),
    owner: platform,
    decide: registerRange,
    result: (_events, { cidr }) => ({ rangeId: rangeIdOf(cidr) }),
  }),
];
