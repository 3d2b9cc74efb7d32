/**
 * A tree's roster: which containers it has and which holds stand on its tenants. Its order decides
 * between an order and a hold: a container enters before the hold and is reached by it, or after
 * and is refused.
 */
import {
  ContainerEntered,
  ContainerKeptOut,
  ContainerLeft,
  type rosterEvents,
  RosterHoldLifted,
  RosterHoldPlaced,
} from '@bivouac/events/containers';
import { accept, type Decision, type EventOf, is, refuse } from '@bivouac/events/language';
import type { Hold } from '@bivouac/events/operations';

export interface RosterState {
  /** Tenant by container. */
  readonly containers: Map<string, string>;
  readonly keptOut: Set<string>;
  readonly holds: Map<string, { readonly hold: Hold; readonly tenantIds: ReadonlySet<string> }>;
  readonly lifted: Set<string>;
}

export function emptyRoster(): RosterState {
  return { containers: new Map(), keptOut: new Set(), holds: new Map(), lifted: new Set() };
}

export function evolveRoster(
  state: RosterState,
  event: EventOf<(typeof rosterEvents)[number]>,
): RosterState {
  if (is(event, ContainerEntered)) {
    state.containers.set(event.data.containerId, event.data.tenantId);
  } else if (is(event, ContainerLeft)) {
    state.containers.delete(event.data.containerId);
  } else if (is(event, ContainerKeptOut)) {
    state.keptOut.add(event.data.containerId);
  } else if (is(event, RosterHoldPlaced)) {
    const { hold, tenantIds } = event.data;
    state.holds.set(hold.holdId, { hold, tenantIds: new Set(tenantIds) });
  } else {
    state.holds.delete(event.data.holdId);
    state.lifted.add(event.data.holdId);
  }
  return state;
}

/** Refused: TENANT_HELD, CONTAINER_GONE. */
export function enterContainer(
  state: RosterState,
  input: { readonly containerId: string; readonly tenantId: string },
): Decision {
  const { containerId, tenantId } = input;
  if (state.containers.has(containerId)) return accept();
  if (state.keptOut.has(containerId)) {
    return refuse(
      'CONTAINER_GONE',
      `The container ${containerId} was given up; order another one.`,
    );
  }
  for (const { hold, tenantIds } of state.holds.values()) {
    if (!tenantIds.has(tenantId)) continue;
    return refuse(
      'TENANT_HELD',
      `A ${hold.kind} hold stands on the account (${hold.reason}); nothing can be ordered until it is lifted.`,
      { details: { holdId: hold.holdId, kind: hold.kind } },
    );
  }
  return accept(ContainerEntered({ containerId, tenantId }));
}

/** Takes a container out. */
export function leaveRoster(state: RosterState, input: { readonly containerId: string }): Decision {
  const { containerId } = input;
  return state.containers.has(containerId) ? accept(ContainerLeft({ containerId })) : accept();
}

/** Takes a container out that was given up before it was there, or sees to it that it never comes in. */
export function keepOut(state: RosterState, input: { readonly containerId: string }): Decision {
  const { containerId } = input;
  if (state.containers.has(containerId)) return accept(ContainerLeft({ containerId }));
  return state.keptOut.has(containerId) ? accept() : accept(ContainerKeptOut({ containerId }));
}

export function placeRosterHold(
  state: RosterState,
  input: { readonly hold: Hold; readonly tenantIds: readonly string[] },
): Decision {
  const { holdId } = input.hold;
  if (state.holds.has(holdId) || state.lifted.has(holdId)) return accept();
  return accept(RosterHoldPlaced({ hold: input.hold, tenantIds: [...input.tenantIds] }));
}

/** Of a hold that never stood here: a tombstone that refuses it. */
export function liftRosterHold(
  state: RosterState,
  input: { readonly holdId: string; readonly tenantIds: readonly string[] },
): Decision {
  if (state.lifted.has(input.holdId)) return accept();
  return accept(RosterHoldLifted({ holdId: input.holdId, tenantIds: [...input.tenantIds] }));
}

/** The containers that a hold on these tenants reaches. */
export function reachedBy(
  state: RosterState,
  tenantIds: readonly string[],
): { readonly containerId: string; readonly tenantId: string }[] {
  const tenants = new Set(tenantIds);
  const reached: { containerId: string; tenantId: string }[] = [];
  for (const [containerId, tenantId] of state.containers) {
    if (tenants.has(tenantId)) reached.push({ containerId, tenantId });
  }
  return reached;
}
