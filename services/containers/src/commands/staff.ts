/** Commands of the staff: images, nodes, ranges. Platform things: each stream is its own home. */
import { idFromUuid, parseCidr } from '@bivouac/events/values';
import { handler } from '@bivouac/infra/runtime';

import {
  PublishImage,
  RegisterImage,
  RegisterNode,
  RegisterRange,
  TestImage,
} from '../api/index.ts';
import { draftImage, publishImage, testImage } from '../domain/image.ts';
import { registerNode } from '../domain/node.ts';
import { rangeIdOf, registerRange } from '../domain/pool.ts';
import { image, node, pool, streamOf } from './aggregates.ts';

const platform = () => 'platform' as const;
const idIn = (stream: string): string => stream.slice(stream.indexOf('-') + 1);

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
  handler(TestImage, image, {
    stream: ({ imageId }) => streamOf.image(imageId),
    decide: testImage,
    result: (_events, { imageId }) => ({ imageId }),
  }),
  handler(PublishImage, image, {
    stream: ({ imageId }) => streamOf.image(imageId),
    decide: publishImage,
    result: (_events, { imageId }) => ({ imageId }),
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
