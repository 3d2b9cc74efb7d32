/** Commands of this context's own reactions on the size of a placement. */
import { NodeCapacityResizing } from '@bivouac/events/containers';
import { command, is, refuse } from '@bivouac/events/language';
import { idOf, InstantSchema, ResourceVectorSchema } from '@bivouac/events/values';
import { handler } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { claimOutcome } from '../domain/container/index.ts';
import { resizeCapacity, settleResize } from '../domain/node-resize.ts';
import { container, node, streamOf } from './aggregates.ts';

const standing = {
  nodeId: idOf('node'),
  placementId: idOf('placement'),
  claim: z.string().max(120),
};

export const ResizeCapacity = command({
  name: 'containers.ResizeCapacity',
  access: 'internal',
  input: z.strictObject({
    ...standing,
    containerId: idOf('container'),
    resizeId: idOf('reservation'),
    vector: ResourceVectorSchema,
    notAfter: InstantSchema,
  }),
  /** `standing`: decided by another command before; the node's state says how. */
  result: z.strictObject({ outcome: z.enum(['taken', 'no-room', 'standing']) }),
});

export const SettleResize = command({
  name: 'containers.SettleResize',
  access: 'internal',
  input: z.strictObject({ ...standing, outcome: z.enum(['done', 'void']) }),
  result: z.strictObject({}),
});

/** Sent by the timer of a claim that nobody has settled: what took it may be gone. */
export const SettleOverdueResize = command({
  name: 'containers.SettleOverdueResize',
  access: 'internal',
  input: z.strictObject({
    ...standing,
    containerId: idOf('container'),
    resizeId: idOf('reservation'),
  }),
  result: z.strictObject({}),
});

const stream = ({ nodeId }: { readonly nodeId: string }) => streamOf.node(nodeId);

export const resizingCommands = [
  handler(ResizeCapacity, node, {
    stream,
    decide: resizeCapacity,
    result: ([event]) => {
      if (event === undefined) return { outcome: 'standing' as const };
      const taken = is(event, NodeCapacityResizing);
      return { outcome: taken ? ('taken' as const) : ('no-room' as const) };
    },
  }),
  handler(SettleResize, node, { stream, decide: settleResize, result: () => ({}) }),
  handler(SettleOverdueResize, node, {
    stream,
    prepare: async ({ containerId, resizeId, ...claimed }, _ports, { load }) => {
      const { state } = await load(container, streamOf.container(containerId));
      const outcome = claimOutcome(state, { resizeId, claim: claimed.claim });
      return { input: { ...claimed, outcome } };
    },
    decide: (state, { outcome, ...claimed }) =>
      outcome === 'under-way'
        ? refuse('RESIZE_PENDING', 'The resize has not ended; settle it later.', {
            retryable: true,
          })
        : settleResize(state, { ...claimed, outcome }),
    result: () => ({}),
  }),
];
