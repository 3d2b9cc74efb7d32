/**
 * Answers `containers.prepare` and `containers.discard`: all a container needs before it is built,
 * and its undo. Needs no `undo` here: the operation registers `discard` before it asks to prepare.
 *
 * The container itself is requested last, so that an order which finds no room leaves no trace of one.
 */
import type { Refusal } from '@bivouac/events/language';
import type { AskInput, ImageFacts } from '@bivouac/events/operations';
import { type PolicyContext, responder } from '@bivouac/infra/runtime';

import { container, image, placement, streamOf } from '../commands/aggregates.ts';
import { carried } from '../commands/asking.ts';
import { DiscardContainer, RequestContainer } from '../commands/containers.ts';
import { EnterContainer, KeepOut, LeaveRoster } from '../commands/rosters.ts';
import { mayDiscard } from '../domain/container/index.ts';
import { orderable } from '../domain/image.ts';
import { giveLeasesBack, takeLeases } from './lease.ts';
import type { Place } from './node-candidates.ts';
import { givePlaceBack, takePlace } from './place.ts';
import { locationsWith, notInPool, rangeWith } from './pool-candidates.ts';

type Prepare = AskInput<'containers.prepare'>;
type PrepareAsk = Parameters<Parameters<typeof responder<'containers.prepare'>>[1]['act']>[2];

export const prepare = responder('containers.prepare', {
  act: async (input, context, ask) => {
    const refused = (refusal: Refusal) => ({ outcome: 'refused', refusal }) as const;
    const facts = await orderedFacts(input, context, ask);
    if ('refusal' in facts)
      return refused((await nothingLeft(input, context, ask)) ?? facts.refusal);
    const { containerId, placementId, leaseIds, family, address } = input;
    const where = await locationOf(input, context);
    if ('refusal' in where)
      return refused((await nothingLeft(input, context, ask)) ?? where.refusal);
    const placed = await takePlace({ ...input, ...where }, context, ask);
    if ('refusal' in placed) return refused(placed.refusal);
    const { nodeId, nodeName, location } = placed.place;
    const leasing = { containerId, leaseIds, family, location, address };
    const leased = await takeLeases(leasing, context, ask);
    if ('refusal' in leased) {
      const trouble = await givePlaceBack({ placementId, nodeId }, context, ask);
      return refused(trouble ?? leased.refusal);
    }
    const { addresses } = leased;
    const refusal = await request(input, facts.image, context, ask);
    if (refusal === undefined) {
      return { outcome: 'done', result: { nodeId, nodeName, location, addresses } };
    }
    const trouble =
      (await giveLeasesBack({ leaseIds, addresses }, context, ask)) ??
      (await givePlaceBack({ placementId, nodeId }, context, ask));
    return refused(trouble ?? refusal);
  },
});

export const discard = responder('containers.discard', {
  act: async (input, context, ask) => {
    const { containerId, reason, placementId, nodeId, leaseIds, addresses } = input;
    const { state } = await context.load(container, streamOf.container(containerId));
    // What a node may still have keeps its place and addresses; the command below refuses it.
    const trouble = mayDiscard(state)
      ? ((await giveLeasesBack({ leaseIds, addresses }, context, ask)) ??
        (await givePlaceBack({ placementId, nodeId }, context, ask)))
      : undefined;
    if (trouble !== undefined) return { outcome: 'refused', refusal: trouble };
    const reply = await context.execute(DiscardContainer, { containerId, reason, ...carried(ask) });
    return reply.ok ? 'later' : { outcome: 'refused', refusal: reply.refusal };
  },
});

/**
 * An address is somewhere: the container has to go there. Who names neither a location nor an address is
 * served where there are addresses enough; where that is nowhere, the lease is what refuses.
 */
async function locationOf(
  { location, address, family, leaseIds }: Prepare,
  context: PolicyContext,
): Promise<Pick<Place, 'location' | 'locations'> | { readonly refusal: Refusal }> {
  if (address === undefined) {
    if (location !== undefined) return { location };
    const { value } = await context.candidates((view) =>
      locationsWith(view, family, leaseIds.length),
    );
    return { location, locations: value };
  }
  const { value: range } = await context.candidates((view) => rangeWith(view, address));
  const elsewhere = location !== undefined && range?.location !== location;
  if (range?.family !== family || elsewhere) {
    return { refusal: notInPool(address, location).refusal };
  }
  return { location: range.location };
}

/** The image's facts; those it was requested with by an earlier delivery, whatever became of it since. */
async function orderedFacts(
  { imageId, containerId }: Prepare,
  context: PolicyContext,
  { ref }: PrepareAsk,
): Promise<{ readonly image: ImageFacts } | { readonly refusal: Refusal }> {
  const facts = await imageFacts(imageId, context);
  if ('image' in facts) return facts;
  const { state } = await context.load(container, streamOf.container(containerId));
  const requested = state.maker === ref.operationId ? state.image : undefined;
  return requested === undefined ? facts : { image: requested };
}

/** Gives back what an earlier delivery of the ask may have taken: a refusal says that nothing was. */
async function nothingLeft(
  { containerId, placementId, leaseIds }: Prepare,
  context: PolicyContext,
  ask: PrepareAsk,
): Promise<Refusal | undefined> {
  // A place is taken before anything else.
  const { state } = await context.load(placement, streamOf.placement(placementId));
  if (state.kind !== 'sought') return undefined;
  await context.execute(KeepOut, { homeId: ask.homeId, containerId });
  return (
    (await giveLeasesBack({ leaseIds, addresses: [] }, context, ask)) ??
    (await givePlaceBack({ placementId }, context, ask))
  );
}

/** The facts of a published image, with the state of its stream they were copied from. */
async function imageFacts(
  imageId: string,
  context: PolicyContext,
): Promise<{ readonly image: ImageFacts } | { readonly refusal: Refusal }> {
  const stream = streamOf.image(imageId);
  const { state, revision } = await context.load(image, stream);
  const facts = orderable(state, imageId);
  if ('refusal' in facts) return { refusal: facts.refusal };
  return { image: { ...facts, at: { stream, revision: (revision ?? 0n).toString() } } };
}

/** Into the roster first: whatever hold comes from now on reaches the container. */
async function request(
  { containerId, tenantId, hostname, plan }: Prepare,
  facts: ImageFacts,
  context: PolicyContext,
  ask: PrepareAsk,
): Promise<Refusal | undefined> {
  const { homeId, ref, notAfter } = ask;
  const entered = await context.execute(EnterContainer, { homeId, containerId, tenantId });
  if (!entered.ok) return entered.refusal;
  const requested = await context.execute(RequestContainer, {
    ...{ containerId, tenantId, hostname, plan, image: facts },
    ...{ ref, notAfter, homeId },
  });
  if (requested.ok) return undefined;
  await context.execute(LeaveRoster, { homeId, containerId });
  return requested.refusal;
}
