/** Requesting, building and discarding a container; giving it another name. */
import {
  ContainerFailed,
  ContainerRenamed,
  ContainerRequested,
  ContainerReserved,
} from '@bivouac/events/containers';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import type { ImageFacts, LeasedAddress, PlanTerms } from '@bivouac/events/operations';

import { askExpired } from '../expiry.ts';
import { accepted, admit, type Asking, busy, holderOf } from './asking.ts';
import { follow } from './follow.ts';
import { held } from './held.ts';
import { type ContainerState, isGone, keyOf } from './state.ts';
import { allows, forbidden } from './transitions.ts';

type Context = Pick<DecideContext, 'now'>;

/** The longest host name a Linux kernel holds. */
const KERNEL_HOSTNAME = 64;

/** Refused: HOSTNAME_TOO_LONG, CONTAINER_HELD, CONTAINER_EXISTS, CONTAINER_GONE (discarded before). */
export function requestContainer(
  state: ContainerState,
  input: Asking & {
    readonly hostname: string;
    readonly plan: PlanTerms;
    readonly image: ImageFacts;
  },
  context: Context,
): Decision {
  const { containerId, tenantId, hostname, plan, image } = input;
  const { operationId } = input.ref;
  if (!allows('request', state.lifecycle)) {
    if (state.maker === operationId) return accept();
    if (isGone(state)) return forbidden(containerId, state.lifecycle);
    return refuse('CONTAINER_EXISTS', `The container ${containerId} was made by another order.`);
  }
  if (context.now > input.notAfter) return askExpired(input.notAfter);
  const long = hostnameTooLong(hostname);
  if (long !== undefined) return long;
  // A hold of the tenant reached it between its entry into the roster and now.
  if (state.holds.size > 0) return held(state, containerId);
  return accept(ContainerRequested({ containerId, tenantId, hostname, plan, image, operationId }));
}

/**
 * Reserves it on its node and has it built and started there in one instruction. A further attempt
 * builds in the same place; the node's steps can be repeated. Refused besides {@link admit}:
 * CONTAINER_HELD, CONTAINER_ALREADY_PLACED.
 */
export function buildContainer(
  state: ContainerState,
  input: Asking & {
    readonly nodeId: string;
    readonly placementId: string;
    readonly reservationId: string;
    readonly location: string;
    readonly addresses: readonly LeasedAddress[];
  },
  context: Context,
): Decision {
  const { containerId, nodeId, placementId, reservationId, location, ref, notAfter } = input;
  const again = allows('build', state.lifecycle) || state.lifecycle === 'running';
  const beginning = admit(state, input, again ? 'hold' : 'reserve', context);
  if ('answer' in beginning) return beginning.answer;
  if (state.holds.size > 0 && state.lifecycle !== 'running') return held(state, containerId);
  if (again) {
    if (state.place?.placementId !== placementId) {
      return refuse(
        'CONTAINER_ALREADY_PLACED',
        `The container ${containerId} has a place already; destroy it before it is built elsewhere.`,
      );
    }
    const events = [...beginning.begin, accepted(input, 'containers.build')];
    return accept(...follow(state, events, context, { notAfter }));
  }
  const limits = state.plan?.limits;
  if (limits === undefined) return forbidden(containerId, 'none');
  const reserved = ContainerReserved({
    containerId,
    nodeId,
    placementId,
    reservationId,
    location,
    generation: state.generation + 1,
    limits,
    addresses: [...input.addresses],
    ask: ref,
  });
  return accept(...follow(state, [...beginning.begin, reserved], context, { notAfter }));
}

/**
 * Undoes a request, whether or not it happened: a late one is refused. Refused:
 * CONTAINER_ALREADY_PLACED (what a node may have is destroyed there first), CONTAINER_BUSY.
 */
export function discardContainer(
  state: ContainerState,
  input: Asking & { readonly reason: string },
  context: Context,
): Decision {
  const { containerId, ref, reason, notAfter } = input;
  if (state.settled.includes(keyOf(ref))) return accept();
  if (state.tenantId !== undefined && state.tenantId !== input.tenantId) {
    return forbidden(containerId, 'none');
  }
  const wait = accepted(input, 'containers.discard');
  if (isGone(state)) return accept(...follow(state, [wait], context, { notAfter }));
  if (allows('fail', state.lifecycle)) {
    const holder = holderOf(state);
    if (holder !== undefined && holder !== ref.operationId) return busy(state, holder);
    const failed = ContainerFailed({ containerId, reason });
    return accept(...follow(state, [wait, failed], context, { notAfter }));
  }
  return refuse(
    'CONTAINER_ALREADY_PLACED',
    `The container ${containerId} has a place on a node; destroy it before it is discarded.`,
  );
}

/** Whether a discard would not be refused for what a node may have of the container. */
export function mayDiscard(state: ContainerState): boolean {
  return isGone(state) || allows('fail', state.lifecycle);
}

/** Refused: CONTAINER_UNKNOWN, CONTAINER_GONE, HOSTNAME_TOO_LONG. */
export function renameContainer(
  state: ContainerState,
  input: { readonly containerId: string; readonly hostname: string },
): Decision {
  if (!allows('rename', state.lifecycle))
    return forbidden(input.containerId, state.lifecycle, 'rename');
  const long = hostnameTooLong(input.hostname);
  if (long !== undefined) return long;
  return state.hostname === input.hostname ? accept() : accept(ContainerRenamed(input));
}

function hostnameTooLong(hostname: string): ReturnType<typeof refuse> | undefined {
  if (hostname.length <= KERNEL_HOSTNAME) return undefined;
  return refuse(
    'HOSTNAME_TOO_LONG',
    `A host name has at most ${KERNEL_HOSTNAME} characters, the kernel holds no more; this one has ${hostname.length}.`,
    { path: ['input', 'hostname'] },
  );
}
