/**
 * Takes leases of addresses and gives them back: as placements, with a list of ranges on record for
 * each lease id; a lease may go to another range than its neighbour. Answers `containers.lease` and
 * `containers.unlease`, which need no `undo`: an operation registers `unlease` before it asks for
 * leases, and asks for it whenever the answer was late.
 */
import { MAX_CANDIDATES, type RangeFacts } from '@bivouac/events/containers';
import { refuse, type Refusal } from '@bivouac/events/language';
import type { AskInput, LeasedAddress } from '@bivouac/events/operations';
import { type PolicyContext, responder } from '@bivouac/infra/runtime';
import type { View } from '@bivouac/infra/views';

import { lease as leaseStream, range, streamOf } from '../commands/aggregates.ts';
import { AbandonLease, LeaseAddresses, ReleaseLeases, SeekLease } from '../commands/capacity.ts';
import { addressOf, leaseVoided } from '../domain/range.ts';
import { rangeFacts, type RangeRow, ranges } from '../projections/platform.ts';
import { spread } from './spread.ts';

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

/** All or none. Refused: POOL_FULL, LEASE_VOIDED. */
export async function takeLeases(
  input: Lease,
  context: PolicyContext,
  facts: Facts,
): Promise<{ readonly addresses: LeasedAddress[] } | { readonly refusal: Refusal }> {
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
  if ('refusal' in walked) return { refusal: walked.refusal };
  const addresses = leaseIds.flatMap((leaseId) => walked.leased.get(leaseId) ?? []);
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

/** Asks range after range, all leases that stand before the same range at once. */
async function walk(
  { containerId, family }: Lease,
  walks: ReadonlyMap<string, string[]>,
  context: PolicyContext,
  { notAfter }: Facts,
): Promise<{ readonly leased: Map<string, LeasedAddress> } | { readonly refusal: Refusal }> {
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
      { rangeId, leaseIds, containerId, notAfter, ...(facts === undefined ? {} : { facts }) },
      `${rangeId}/${leaseIds[0] ?? ''}`,
    );
    if (!reply.ok) return { refusal: reply.refusal };
    const said = new Map(reply.result.leased.map((one) => [one.leaseId, one.address]));
    const declined = new Set(reply.result.noRoom);
    if (leaseIds.some((leaseId) => !said.has(leaseId) && !declined.has(leaseId))) {
      // Decided by another command before: the range itself says how.
      const found = await context.read(range, streamOf.range(rangeId), (state) =>
        leaseIds.map((leaseId) => [leaseId, addressOf(state, leaseId)] as const),
      );
      for (const [leaseId, address] of found) {
        if (address !== undefined) said.set(leaseId, address);
      }
    }
    for (const [leaseId, address] of said) {
      leased.set(leaseId, { leaseId, rangeId, address, family });
    }
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
    if (reply.ok) return undefined;
    if (reply.refusal.code !== 'LEASE_NOT_HERE') return reply.refusal;
  }
  return undefined;
}

/** Ranges of the pool in the order to be asked: those with enough for all leases first. */
function candidatesIn(
  view: View,
  { leaseIds, location, family }: Lease,
): { readonly rangeIds: string[]; readonly free: number } {
  const rows: RangeRow[] = [];
  let free = 0;
  let after: string | undefined;
  for (;;) {
    const page = view.range(ranges, 'byPool', [location, family], { after, limit: 500 });
    for (const { row } of page) {
      free += row.size - row.leased;
      if (row.leased < row.size) rows.push(row);
    }
    after = page.at(-1)?.cursor;
    if (page.length < 500) break;
  }
  const ordered = spread(leaseIds[0] ?? '', rows, (row) => ({
    id: row.rangeId,
    weight: (row.size - row.leased) / row.size,
  }));
  const enough = (row: RangeRow): boolean => row.size - row.leased >= leaseIds.length;
  return {
    rangeIds: [...ordered.filter(enough), ...ordered.filter((row) => !enough(row))]
      .slice(0, MAX_CANDIDATES)
      .map((row) => row.rangeId),
    free,
  };
}

function poolFull({ location, family }: Lease, asked: number, free: number) {
  return refuse(
    'POOL_FULL',
    `The pool of ${family} addresses in ${location} has too few left (${asked} asked for, ${free} free, perhaps still resting); choose another location, or order later.`,
    { details: { location, family, asked, free }, retryable: true },
  );
}
