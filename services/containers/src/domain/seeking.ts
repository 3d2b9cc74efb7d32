/**
 * A placement's and a lease's own stream: revision 0 says which owners are asked, in which order, or
 * that it never happens. Whoever handles the ask, and however often, walks the same list.
 *
 * The walk: each owner in turn says, once and for all, `taken` or `no room`; only after `no room` is
 * the next one asked. Giving back walks likewise and stops at the first owner that had said neither:
 * it leaves a tombstone there, which also stops a late walk. So nothing is ever held twice, and
 * nothing that was given back is taken later.
 */
import type { leaseEvents, placementEvents } from '@bivouac/events/containers';
import {
  LeaseAbandoned,
  LeaseSought,
  PlacementAbandoned,
  type PlacementCandidate,
  PlacementSought,
} from '@bivouac/events/containers';
import { accept, type Decision, type EventOf, is, refuse } from '@bivouac/events/language';
import type { ResourceVector } from '@bivouac/events/values';

import { placementVoided } from './node-refusals.ts';
import { leaseVoided } from './range.ts';

export type SeekingState<C> =
  | { readonly kind: 'none' }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'sought'; readonly candidates: readonly C[]; readonly notAfter: string };

export function evolvePlacement(
  _state: SeekingState<PlacementCandidate>,
  event: EventOf<(typeof placementEvents)[number]>,
): SeekingState<PlacementCandidate> {
  if (!is(event, PlacementSought)) return { kind: 'abandoned' };
  const { candidates, notAfter } = event.data;
  return { kind: 'sought', candidates, notAfter };
}

export function evolveLease(
  _state: SeekingState<string>,
  event: EventOf<(typeof leaseEvents)[number]>,
): SeekingState<string> {
  if (!is(event, LeaseSought)) return { kind: 'abandoned' };
  const { candidates, notAfter } = event.data;
  return { kind: 'sought', candidates, notAfter };
}

/** Refused: PLACEMENT_VOIDED. */
export function seekPlacement(
  state: SeekingState<PlacementCandidate>,
  input: {
    readonly placementId: string;
    readonly containerId: string;
    readonly vector: ResourceVector;
    readonly candidates: readonly PlacementCandidate[];
    readonly asOf: string | null;
    readonly notAfter: string;
  },
): Decision {
  if (state.kind === 'sought') return accept();
  if (state.kind === 'abandoned') return placementVoided(input.placementId);
  return accept(PlacementSought({ ...input, candidates: [...input.candidates] }));
}

/** Refused: PLACEMENT_SOUGHT (owners may hold it: ask them). */
export function abandonPlacement(
  state: SeekingState<PlacementCandidate>,
  input: { readonly placementId: string },
): Decision {
  if (state.kind === 'abandoned') return accept();
  if (state.kind === 'none') return accept(PlacementAbandoned(input));
  return refuse('PLACEMENT_SOUGHT', `The placement ${input.placementId} has been sought already.`);
}

/** Refused: LEASE_VOIDED. */
export function seekLease(
  state: SeekingState<string>,
  input: {
    readonly leaseId: string;
    readonly containerId: string;
    readonly candidates: readonly string[];
    readonly asOf: string | null;
    readonly notAfter: string;
  },
): Decision {
  if (state.kind === 'sought') return accept();
  if (state.kind === 'abandoned') return leaseVoided(input.leaseId);
  return accept(LeaseSought({ ...input, candidates: [...input.candidates] }));
}

/** Refused: LEASE_SOUGHT (ranges may hold it: ask them). */
export function abandonLease(
  state: SeekingState<string>,
  input: { readonly leaseId: string },
): Decision {
  if (state.kind === 'abandoned') return accept();
  if (state.kind === 'none') return accept(LeaseAbandoned(input));
  return refuse('LEASE_SOUGHT', `The lease ${input.leaseId} has been sought already.`);
}
