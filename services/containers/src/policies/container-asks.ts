/**
 * Answers the asks on containers that are made. Those a node has part in are answered `later`, by
 * settle-asks.ts.
 *
 * None has an `undo`: their ids do not contain the attempt, so a late `done` must not be taken back
 * here while a further attempt relies on it. The operation has registered the undo before it asked,
 * and asks for it (destroy, detach) whenever the answer was late.
 */
import type { CommandReply } from '@bivouac/events/language';
import { refuse } from '@bivouac/events/language';
import { responder } from '@bivouac/infra/runtime';

import { container, placement, streamOf } from '../commands/aggregates.ts';
import { carried } from '../commands/asking.ts';
import {
  AttachAddresses,
  BuildContainer,
  DestroyContainer,
  DetachAddresses,
  HoldContainer,
  UnholdContainer,
} from '../commands/containers.ts';
import { allows, busy, forbidden, held, holderOf } from '../domain/container/index.ts';

const done = { outcome: 'done', result: {} } as const;

/** `later` once the container's stream has taken the ask. */
export function accepted(reply: CommandReply<unknown>) {
  return reply.ok ? 'later' : ({ outcome: 'refused', refusal: reply.refusal } as const);
}

const build = responder('containers.build', {
  act: async (input, context, ask) => {
    const { placementId, nodeId } = input;
    const { state } = await context.load(placement, streamOf.placement(placementId));
    const chosen =
      state.kind === 'sought' ? state.candidates.find((one) => one.nodeId === nodeId) : undefined;
    if (chosen === undefined) {
      const message = `The placement ${placementId} is not on node ${nodeId}; ask for a place first.`;
      return { outcome: 'refused', refusal: refuse('PLACEMENT_UNKNOWN', message).refusal };
    }
    const { location } = chosen;
    return accepted(await context.execute(BuildContainer, { ...input, ...carried(ask), location }));
  },
});

const hold = responder('containers.hold', {
  act: async (input, context, ask) =>
    accepted(await context.execute(HoldContainer, { ...input, ...carried(ask) })),
});

const unhold = responder('containers.unhold', {
  act: async (input, context, ask) =>
    accepted(await context.execute(UnholdContainer, { ...input, ...carried(ask) })),
});

const destroy = responder('containers.destroy', {
  act: async (input, context, ask) =>
    accepted(await context.execute(DestroyContainer, { ...input, ...carried(ask) })),
});

const attach = responder('containers.attach', {
  act: async (input, context, ask) =>
    accepted(await context.execute(AttachAddresses, { ...input, ...carried(ask) })),
});

const detach = responder('containers.detach', {
  act: async (input, context, ask) => {
    const reply = await context.execute(DetachAddresses, { ...input, ...carried(ask) });
    // A container that is not there, or not any more, has no addresses, and gets none.
    const code = reply.ok ? '' : reply.refusal.code;
    return code === 'CONTAINER_UNKNOWN' || code === 'CONTAINER_GONE' ? done : accepted(reply);
  },
});

const inspect = responder('containers.inspect', {
  act: async ({ containerId }, context, { ref, tenantId }) => {
    const { state } = await context.load(container, streamOf.container(containerId));
    const refused = (refusal: ReturnType<typeof refuse>['refusal']) =>
      ({ outcome: 'refused', refusal }) as const;
    if (state.tenantId !== tenantId) return refused(forbidden(containerId, 'none').refusal);
    const holder = holderOf(state);
    if (holder !== undefined && holder !== ref.operationId) {
      return refused(busy(state, holder).refusal);
    }
    const { plan, place, reservationId } = state;
    if (
      !allows('resize', state.lifecycle) ||
      plan === undefined ||
      place === undefined ||
      reservationId === undefined
    ) {
      return refused(forbidden(containerId, state.lifecycle, 'resize').refusal);
    }
    if (state.holds.size > 0) return refused(held(state, containerId).refusal);
    const addresses = state.addresses.length;
    const own = state.addresses.filter(({ leaseId }) => !state.extras.has(leaseId)).length;
    const reservation = { reservationId, addresses: own };
    return { outcome: 'done', result: { location: place.location, plan, addresses, reservation } };
  },
});

export const containerAsks = [build, hold, unhold, destroy, attach, detach, inspect];
