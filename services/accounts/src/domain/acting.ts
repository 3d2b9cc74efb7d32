/**
 * A session in which a member of the provider acts for a tenant: for a reason the tenant sees, and
 * for a time. What is done in it is done with the tenant's rights, not with those of the staff.
 */
import { ActingEnded, type actingEvents, ActingStarted } from '@bivouac/events/accounts';
import {
  accept,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  refuse,
} from '@bivouac/events/language';
import { plusSeconds } from '@bivouac/events/values';

import type { KnownTenant } from './members.ts';
import { tenantUnknown } from './tree.ts';

export function actingStream(actingId: string): string {
  return `acting-${actingId}`;
}

export interface ActingState {
  started:
    { readonly actingId: string; readonly tenantId: string; readonly homeId: string } | undefined;
  endsAt: string;
  ended: boolean;
}

export function notActing(): ActingState {
  return { started: undefined, endsAt: '', ended: false };
}

export function evolveActing(
  state: ActingState,
  event: EventOf<(typeof actingEvents)[number]>,
): ActingState {
  if (is(event, ActingStarted)) {
    const { actingId, tenantId, homeId, endsAt } = event.data;
    state.started = { actingId, tenantId, homeId };
    state.endsAt = endsAt;
  } else state.ended = true;
  return state;
}

export function startActing(
  state: ActingState,
  input: {
    readonly actingId: string;
    readonly tenantId: string;
    readonly homeId: string;
    readonly memberId: string | undefined;
    readonly reason: string;
    readonly minutes: number;
    readonly tenant: KnownTenant;
  },
  context: DecideContext,
): Decision {
  const { actingId, tenantId, homeId, memberId, reason, minutes, tenant } = input;
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.kind === 'provider') {
    return refuse(
      'PROVIDER_CANNOT_BE_ACTED_FOR',
      'The provider’s people act for it as they are; name one of its customers.',
      { path: ['tenantId'] },
    );
  }
  if (memberId === undefined) {
    return refuse('NOT_ALLOWED', 'Only a person acts for a tenant; use a key of a member.');
  }
  if (state.started !== undefined) return accept();
  const endsAt = plusSeconds(context.now, minutes * 60);
  return accept(ActingStarted({ actingId, tenantId, homeId, memberId, reason, endsAt }));
}

export function endActing(state: ActingState, context: DecideContext): Decision {
  if (state.started === undefined) {
    return refuse('ACTING_UNKNOWN', 'There is no such session, or it is not yours; check the id.', {
      path: ['actingId'],
    });
  }
  if (state.ended || state.endsAt <= context.now) return accept();
  return accept(ActingEnded(state.started));
}
