/**
 * Answers `containers.resize`: what the new size has more is taken on its node first, then the
 * container is told. When that has ended, the node's stream learns how: settleCapacity.
 */
import { refuse, type Refusal } from '@bivouac/events/language';
import type { AskInput, AskRef } from '@bivouac/events/operations';
import { type PolicyContext, responder } from '@bivouac/infra/runtime';

import { container, node, streamOf } from '../commands/aggregates.ts';
import { carried } from '../commands/asking.ts';
import { ResizeContainer } from '../commands/later-life.ts';
import { ResizeCapacity, SettleResize } from '../commands/resizing.ts';
import { resizeVoided } from '../domain/node-refusals.ts';
import { forbidden, isGone, keyOf } from '../domain/container/index.ts';
import { accepted } from './container-asks.ts';

type Resize = AskInput<'containers.resize'>;
interface Place {
  readonly nodeId: string;
  readonly placementId: string;
}

export const resize = responder('containers.resize', {
  act: async (input, context, ask) => {
    const refused = (refusal: Refusal) => ({ outcome: 'refused', refusal }) as const;
    const { containerId } = input;
    const { state } = await context.load(container, streamOf.container(containerId));
    const { place } = state;
    if (state.tenantId !== ask.tenantId || place === undefined) {
      const lifecycle = state.tenantId === ask.tenantId ? state.lifecycle : 'none';
      return refused(forbidden(containerId, lifecycle, 'resize').refusal);
    }
    const trouble = await takeDifference(input, place, context, ask);
    if (trouble !== undefined) return refused((await gone(containerId, context)) ?? trouble);
    const reply = await context.execute(ResizeContainer, { ...input, ...carried(ask) });
    if (!reply.ok) await settle(ask.ref, place, 'void', context);
    return accepted(reply);
  },
});

/**
 * The place of a container that is gone is given back soon after. Then the node's stream is the first
 * to refuse, and knows no more than that; that nothing is left to resize is what the operation must hear.
 */
async function gone(containerId: string, context: PolicyContext): Promise<Refusal | undefined> {
  const { state } = await context.load(container, streamOf.container(containerId));
  return isGone(state) ? forbidden(containerId, state.lifecycle, 'resize').refusal : undefined;
}

/** Once a container's resize is settled: what it takes on its node is that, or what it was. */
export async function settleCapacity(
  { ref, outcome }: { readonly ref: AskRef; readonly outcome: 'done' | 'failed' },
  containerId: string,
  context: PolicyContext,
): Promise<void> {
  const { state } = await context.load(container, streamOf.container(containerId));
  if (state.place === undefined) return;
  await settle(ref, state.place, outcome === 'done' ? 'done' : 'void', context);
}

async function settle(
  ref: AskRef,
  { nodeId, placementId }: Place,
  outcome: 'done' | 'void',
  context: PolicyContext,
): Promise<void> {
  await context.execute(SettleResize, { nodeId, placementId, claim: keyOf(ref), outcome }, outcome);
}

/** Refused: NO_NODE_WITH_ROOM and those of the node's stream. */
async function takeDifference(
  { containerId, reservationId, plan }: Resize,
  { nodeId, placementId }: Place,
  context: PolicyContext,
  { ref, notAfter }: { readonly ref: AskRef; readonly notAfter: string },
): Promise<Refusal | undefined> {
  const { cpuMillis, memoryBytes, diskBytes } = plan.limits;
  const vector = { containers: 1, cpuMillis, memoryBytes, diskBytes, addresses: 0 };
  const claim = keyOf(ref);
  const reply = await context.execute(ResizeCapacity, {
    ...{ nodeId, placementId, containerId, claim, vector, notAfter },
    resizeId: reservationId,
  });
  if (!reply.ok) return reply.refusal;
  const { outcome } = reply.result;
  if (outcome === 'taken' && !reply.repeated) return undefined;
  if (outcome !== 'no-room') {
    // Decided by another command, or by an earlier delivery that may have given it up since.
    const voided = await context.read(
      node,
      streamOf.node(nodeId),
      (state) => state.voidedClaims.get(claim)?.reason,
    );
    if (voided === undefined) return undefined;
    if (voided === 'released') return resizeVoided(claim).refusal;
  }
  return refuse(
    'NO_NODE_WITH_ROOM',
    `The container's node has no room for the plan ${plan.code}; choose a smaller one, or order later.`,
    { details: { asked: vector }, retryable: true },
  ).refusal;
}
