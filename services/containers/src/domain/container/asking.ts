/** What every ask on a container meets first: whose it is, whether it is late, repeated, or busy. */
import { AskAccepted } from '@bivouac/events/containers';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  refuse,
} from '@bivouac/events/language';
import type { AskName, AskRef } from '@bivouac/events/operations';

import { askExpired } from '../expiry.ts';
import { settledFailed } from './follow.ts';
import { type ContainerState, isGone, keyOf } from './state.ts';
import { allows, forbidden, type Transition } from './transitions.ts';

/** What every ask's command carries. */
export interface Asking {
  readonly containerId: string;
  /** Whose things the operation changes. */
  readonly tenantId: string;
  readonly ref: AskRef;
  readonly notAfter: string;
}

/** Either the answer, or the events to begin with. */
export type Beginning = { readonly answer: Decision } | { readonly begin: readonly Decided[] };

/**
 * Admits an ask, or answers it: a repeat does nothing, a foreign container is unknown, a late ask is
 * refused, and one operation at a time holds a container. A further attempt of the same operation
 * takes the place of the one before.
 */
export function admit(
  state: ContainerState,
  asking: Asking,
  transition: Transition,
  context: Pick<DecideContext, 'now'>,
): Beginning {
  const { ref, containerId } = asking;
  const key = keyOf(ref);
  if (state.settled.includes(key)) return { answer: accept() };
  const { waiting } = state;
  if (waiting !== undefined && keyOf(waiting.ref) === key) return { answer: accept() };
  if (state.tenantId !== undefined && state.tenantId !== asking.tenantId) {
    return { answer: forbidden(containerId, 'none') };
  }
  if (context.now > asking.notAfter) return { answer: askExpired(asking.notAfter) };
  const holder = holderOf(state);
  if (holder !== undefined && holder !== ref.operationId) return { answer: busy(state, holder) };
  if (!allows(transition, state.lifecycle)) {
    return { answer: forbidden(containerId, state.lifecycle, transition) };
  }
  if (waiting === undefined) return { begin: [] };
  const superseded = refuse(
    'ASK_SUPERSEDED',
    `The operation has asked for something else (${ref.step}); this ask ended with that.`,
  ).refusal;
  return { begin: [settledFailed(state, waiting, superseded)] };
}

/** The operation that holds the container: it waits for it, or is making it. */
export function holderOf(state: ContainerState): string | undefined {
  return state.waiting?.ref.operationId ?? (isGone(state) ? undefined : state.maker);
}

export function busy(state: ContainerState, operationId: string): ReturnType<typeof refuse> {
  return refuse(
    'CONTAINER_BUSY',
    `The operation ${operationId} is working on the container ${state.containerId}; wait for it to end, or cancel it.`,
    { path: ['input', 'containerId'], details: { operationId }, retryable: true },
  );
}

/** The ask waits: for what is under way, or because nothing else of it is recorded. */
export function accepted(asking: Asking, name: AskName): Decided {
  const { containerId, ref, notAfter } = asking;
  return AskAccepted({ containerId, ask: ref, name, notAfter });
}
