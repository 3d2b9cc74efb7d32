/**
 * Takes leases of addresses and gives them back: as placements, with a list of ranges on record for
 * each lease id; a lease may go to another range than its neighbour. Answers `containers.lease` and
 * `containers.unlease`, which need no `undo`: an operation registers `unlease` before it asks for
 * leases, and asks for it whenever the answer was late.
 */
import type { RangeFacts } from '@bivouac/events/containers';
import type { Refusal } from '@bivouac/events/language';
import type { AskInput, LeasedAddress } from '@bivouac/events/operations';
import { type PolicyContext, responder } from '@bivouac/infra/runtime';

import { lease as leaseStream, range, streamOf } from '../commands/aggregates.ts';
import { AbandonLease, LeaseAddresses, ReleaseLeases, SeekLease } from '../commands/capacity.ts';
import { addressOf, leaseVoided } from '../domain/range.ts';
import { rangeFacts, ranges } from '../projections/platform.ts';
import { addressTaken, candidatesIn, notInPool, poolFull, rangeWith } from './pool-candidates.ts';

/** What is to be leased, and where. */
export type Lease = AskInput<'containers.lease'>;
interface Facts {
  readonly tenantId: string;
  readonly homeId: string;
  readonly notAfter: string;
}

export const lease = responder('containers.lease', {
  act: async (input, context, ask) => {
    const taken = await takeLeases(input, context, ask);
    return 'refusal' in taken
      ? { outcome: 'refused', refusal: taken.refusal }
      : { outcome: 'done', result: taken };
  },
});

export const unlease = responder('containers.unlease', {
  act: async (input, context, facts) => {
    const refusal = await giveLeasesBack(input, context, facts);
    return refusal === undefined
      ? { outcome: 'done', result: {} }
      : { outcome: 'refused', refusal };
  },
});

type Taken = { readonly addresses: LeasedAddress[] } | { readonly refusal: Refusal };

/** All or none. Refused: POOL_FULL, ADDRESS_TAKEN, ADDRESS_NOT_IN_POOL, LEASE_VOIDED. */
export async function takeLeases(
  { address, ...input }: Lease,
  context: PolicyContext,
  facts: Facts,
): Promise<Taken> {
  if (address === undefined) return takeAny(input, context, facts);
  const [leaseId = '', ...others] = new Set(input.leaseIds);
  const first = await takeAddress(leaseId, address, input, context, facts);
  if ('refusal' in first || others.length === 0) return first;
  const rest = await takeAny({ ...input, leaseIds: others }, context, facts);
  if ('addresses' in rest) return { addresses: [...first.addresses, ...rest.addresses] };
  const refusal = await release(first.addresses, context, 'address');
  return { refusal: refusal ?? rest.refusal };
}

/** This very address for a lease. */
async function takeAddress(
  leaseId: string,
  address: string,
  input: Lease,
  context: PolicyContext,
  facts: Facts,
): Promise<Taken> {
  const found = await context.candidates((view) => rangeWith(view, address));
  const range = found.value;
  if (range?.location !== input.location || range.family !== input.family) {
    return { refusal: notInPool(address, input.location).refusal };
  }
  const { rangeId } = range;
  const sought = await seek(leaseId, input, [rangeId], found.position, context, facts);
  if ('refusal' in sought) return { refusal: sought.refusal };
  const walks = new Map([[leaseId, [...sought.candidates]]]);
  const walked = await walk({ ...input, address }, walks, context, facts);
  if (walked.refusal !== undefined) {
    const trouble = await giveLeasesBack({ leaseIds: [leaseId], addresses: [] }, context, facts);
    return { refusal: trouble ?? walked.refusal };
  }
  const leased = walked.leased.get(leaseId);
  return leased === undefined
    ? { refusal: addressTaken(address).refusal }
    : { addresses: [leased] };
}

/** Whichever are free. */
async function takeAny(input: Lease, context: PolicyContext, facts: Facts): Promise<Taken> {
  const leaseIds = [...new Set(input.leaseIds)];
  const found = await context.candidates((view) => candidatesIn(view, input));
  const walks = new Map<string, string[]>();
  const sought = await Promise.all(
    leaseIds.map((leaseId) =>
      seek(leaseId, input, found.value.rangeIds, found.position, context, facts),
    ),
  );
  for (const [i, one] of sought.entries()) {
    const leaseId = leaseIds[i];
    if ('refusal' in one) return { refusal: one.refusal };
    if (leaseId !== undefined) walks.set(leaseId, [...one.candidates]);
  }
  const walked = await walk(input, walks, context, facts);
  const addresses = leaseIds.flatMap((leaseId) => walked.leased.get(leaseId) ?? []);
  if (walked.refusal !== undefined) {
    // Also what an earlier delivery has decided and which is on its way to the log.
    const trouble = await giveLeasesBack({ leaseIds, addresses }, context, facts);
    return { refusal: trouble ?? walked.refusal };
  }
  if (addresses.length === leaseIds.length) return { addresses };
  // What one range had left is given back.
  const refusal = await release(addresses, context, 'short');
  return { refusal: refusal ?? poolFull(input, leaseIds.length, found.value.free).refusal };
}

/** Gives leases back by id; those not known to be made are found, or never made. */
export async function giveLeasesBack(
  {
    leaseIds,
    addresses,
  }: { readonly leaseIds: readonly string[]; readonly addresses: readonly LeasedAddress[] },
  context: PolicyContext,
  facts: Pick<Facts, 'tenantId' | 'homeId'>,
): Promise<Refusal | undefined> {
  const known = new Map(addresses.map((address) => [address.leaseId, address]));
  const standing = leaseIds.flatMap((leaseId) => known.get(leaseId) ?? []);
  const unknown = [...new Set(leaseIds)].filter((leaseId) => !known.has(leaseId));
  const refusals = await Promise.all([
    release(standing, context, 'known'),
    ...unknown.map((leaseId) => giveUp(leaseId, context, facts)),
  ]);
  return refusals.find((one) => one !== undefined);
}

/** The ranges on record for a lease: these, or those of an earlier delivery of the ask. */
async function seek(
  leaseId: string,
  { containerId }: Lease,
  rangeIds: readonly string[],
  asOf: string | null,
  context: PolicyContext,
  { tenantId, homeId, notAfter }: Facts,
): Promise<{ readonly candidates: readonly string[] } | { readonly refusal: Refusal }> {
  if (rangeIds.length > 0) {
    const candidates = [...rangeIds];
    const reply = await context.execute(
      SeekLease,
      { tenantId, homeId, leaseId, containerId, candidates, asOf, notAfter },
      leaseId,
    );
    if (!reply.ok) return { refusal: reply.refusal };
    if (!reply.repeated && reply.position !== undefined) return { candidates };
  }
  const { state } = await context.load(leaseStream, streamOf.lease(leaseId));
  if (state.kind === 'abandoned') return { refusal: leaseVoided(leaseId).refusal };
  return { candidates: state.kind === 'sought' ? state.candidates : [] };
}

/**
 * Asks range after range, all leases that stand before the same range at once. Where one refuses, what
 * was leased until then is answered all the same: it is held.
 */
async function walk(
  { containerId, family, address: wanted }: Lease,
  walks: ReadonlyMap<string, string[]>,
  context: PolicyContext,
  { notAfter }: Facts,
): Promise<{ readonly leased: ReadonlyMap<string, LeasedAddress>; readonly refusal?: Refusal }> {
  const leased = new Map<string, LeasedAddress>();
  for (;;) {
    const rangeId = [...walks].find(([id, rest]) => !leased.has(id) && rest.length > 0)?.[1][0];
    if (rangeId === undefined) return { leased };
    const leaseIds: string[] = [];
    for (const [leaseId, rest] of walks) {
      if (leased.has(leaseId) || rest[0] !== rangeId) continue;
      leaseIds.push(leaseId);
      rest.shift();
    }
    const facts = await factsToOpen(rangeId, context);
    const reply = await context.execute(
      LeaseAddresses,
      {
        ...{ rangeId, leaseIds, containerId, notAfter },
        ...(wanted === undefined ? {} : { address: wanted }),
        ...(facts === undefined ? {} : { facts }),
      },
      `${rangeId}/${leaseIds[0] ?? ''}`,
    );
    if (!reply.ok) return { leased, refusal: reply.refusal };
    const said = new Map(reply.result.leased.map((one) => [one.leaseId, one.address]));
    const declined = new Set(reply.result.noRoom);
    const decidedBefore =
      reply.repeated || leaseIds.some((id) => !said.has(id) && !declined.has(id));
    // By an earlier delivery, or another command: the range itself says what is there now.
    const standing = decidedBefore
      ? await context.read(range, streamOf.range(rangeId), (state) =>
          leaseIds.map((leaseId) => [leaseId, addressOf(state, leaseId)] as const),
        )
      : said;
    for (const [leaseId, address] of standing) {
      if (address !== undefined) leased.set(leaseId, { leaseId, rangeId, address, family });
    }
    // What an earlier delivery had, and gave back before it could say so, is not taken again.
    const ended = leaseIds.find((leaseId) => said.has(leaseId) && !leased.has(leaseId));
    if (ended !== undefined) return { leased, refusal: leaseVoided(ended).refusal };
  }
}

/** The facts of a range whose stream may not have begun. */
async function factsToOpen(
  rangeId: string,
  context: PolicyContext,
): Promise<RangeFacts | undefined> {
  const { value } = await context.candidates((view) =>
    view.get(ranges, rangeId)?.opened === true ? undefined : view.get(rangeFacts, rangeId),
  );
  return value;
}

/** Gives back what is known to be leased. Answers a refusal, or nothing when all is well. */
async function release(
  addresses: readonly LeasedAddress[],
  context: PolicyContext,
  n: string,
): Promise<Refusal | undefined> {
  const byRange = new Map<string, string[]>();
  for (const { rangeId, leaseId } of addresses) {
    byRange.set(rangeId, [...(byRange.get(rangeId) ?? []), leaseId]);
  }
  for (const [rangeId, leaseIds] of byRange) {
    const reply = await context.execute(ReleaseLeases, { rangeId, leaseIds }, `${n}/${rangeId}`);
    if (!reply.ok) return reply.refusal;
  }
  return undefined;
}

/** Gives back a lease of which nothing is known: forbids it, or finds the range that holds it. */
async function giveUp(
  leaseId: string,
  context: PolicyContext,
  { tenantId, homeId }: Pick<Facts, 'tenantId' | 'homeId'>,
): Promise<Refusal | undefined> {
  const abandoned = await context.execute(AbandonLease, { leaseId, tenantId, homeId }, leaseId);
  if (abandoned.ok) return undefined;
  const { state } = await context.load(leaseStream, streamOf.lease(leaseId));
  if (state.kind !== 'sought') return abandoned.refusal;
  for (const rangeId of state.candidates) {
    const releasing = { rangeId, leaseIds: [leaseId], notAfter: state.notAfter };
    const reply = await context.execute(ReleaseLeases, releasing, `${leaseId}/${rangeId}`);
    if (reply.ok && !reply.result.late) return undefined;
    if (!reply.ok && reply.refusal.code !== 'LEASE_NOT_HERE') return reply.refusal;
  }
  return undefined;
}
