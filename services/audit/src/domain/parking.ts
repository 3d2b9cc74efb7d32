/** Orders about the parked homes of one service, in a stream of the platform: each is recorded. */
import { ParkedEventSkipOrdered, ParkedHomeReplayOrdered } from '@bivouac/events/audit';
import { accept, type Decision, type EventOf, refuse } from '@bivouac/events/language';

type Replay = EventOf<typeof ParkedHomeReplayOrdered>['data'];
type Skip = EventOf<typeof ParkedEventSkipOrdered>['data'];

/** Where the home stands as the service has written it down; undefined: nowhere, it flows. */
export interface ParkedAt {
  readonly eventId: string;
}

/** Orders need no state: what they are about is in the service's checkpoint. */
export type Orders = Record<string, never>;

export const noOrders = (): Orders => ({});

export function orderReplay(
  _state: Orders,
  { service, homeId, at }: Omit<Replay, 'eventId'> & { readonly at: ParkedAt | undefined },
): Decision {
  if (at === undefined) return notParked(service, homeId);
  return accept(ParkedHomeReplayOrdered({ service, homeId, eventId: at.eventId }));
}

export function orderSkip(
  _state: Orders,
  { at, ...order }: Skip & { readonly at: ParkedAt | undefined },
): Decision {
  const { service, homeId, eventId } = order;
  if (at === undefined) return notParked(service, homeId);
  if (at.eventId !== eventId) {
    return refuse(
      'PARKED_AT_OTHER_EVENT',
      `Home ${homeId} of ${service} is parked at event ${at.eventId}, not ${eventId}: look at that one.`,
      { path: ['eventId'] },
    );
  }
  return accept(ParkedEventSkipOrdered(order));
}

function notParked(service: string, homeId: string): Decision {
  return refuse(
    'HOME_NOT_PARKED',
    `No home ${homeId} of ${service} is parked: there is nothing to see to.`,
    { path: ['homeId'] },
  );
}
