/** The parked homes of all services, from the checkpoints that their reactions write. */
import { type ParkingService, parkingServices } from '@bivouac/events/audit';
import { formatPosition, is, type PageArgs, type Recorded } from '@bivouac/events/language';
import { CheckpointRecorded, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';
import { BadCursorError } from '@bivouac/infra/views';

import { ParkedHomes, type ParkedHomeView } from '../api/parking.ts';

/** The stream in which a service's reactions write down how far they have come. */
export function checkpointStream(service: ParkingService): string {
  return `checkpoint-${service}`;
}

/** What the last event of that stream says, by home in order. */
export function parkedIn(
  service: ParkingService,
  last: Recorded | undefined,
): readonly ParkedHomeView[] {
  if (last === undefined || !is(last, CheckpointRecorded)) return [];
  return last.data.parked
    .map(({ from, type, ...home }) => ({
      ...home,
      service,
      eventType: type,
      position: formatPosition(BigInt(from)),
    }))
    .sort((a, b) => (a.homeId < b.homeId ? -1 : 1));
}

export function parkedHomes(): QueryHandler {
  return queryHandler(ParkedHomes, async (_view, { service, page }, { log }) => {
    const homes: ParkedHomeView[] = [];
    for (const each of service === undefined ? parkingServices : [service]) {
      const options = { direction: 'backwards', limit: 1 } as const;
      const read = await log.readStream(checkpointStream(each), options);
      const [last] = read.exists ? read.events : [];
      homes.push(...parkedIn(each, last && log.decode(last)));
    }
    return pageOfHomes(homes, page);
  });
}

/** A page of them: a cursor names service and home, so it stays where it is while others go. */
export function pageOfHomes(homes: readonly ParkedHomeView[], request: PageArgs) {
  const { limit, reverse } = request;
  const after = placeOf('after', request.after);
  const before = placeOf('before', request.before);
  const within = homes.filter((home) => {
    const place = keyOf(home);
    return (after === undefined || place > after) && (before === undefined || place < before);
  });
  const items = reverse ? within.slice(-limit) : within.slice(0, limit);
  const more = within.length > items.length;
  return {
    items: items.map((node) => ({ cursor: Buffer.from(keyOf(node)).toString('base64url'), node })),
    hasNext: reverse ? before !== undefined : more,
    hasPrevious: reverse ? more : after !== undefined,
  };
}

/** Sorts as the list does: no name of a service or home has a space. */
function keyOf({ service, homeId }: Pick<ParkedHomeView, 'service' | 'homeId'>): string {
  return `${service} ${homeId}`;
}

function placeOf(option: 'after' | 'before', cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const place = Buffer.from(cursor, 'base64url').toString();
  if (/^[a-z]+ \S+$/.test(place)) return place;
  throw new BadCursorError(option, cursor, 'is no cursor');
}
