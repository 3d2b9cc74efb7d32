/**
 * Audit: the trail of all that happened, for whoever may see it, and of who has read it; and what staff
 * order about homes that wait for them.
 */
import {
  parkingOrderEvents,
  type ParkingService,
  parkingStream,
  TrailRead,
} from '@bivouac/events/audit';
import type { Recorded } from '@bivouac/events/language';
import { aggregate, handler, service } from '@bivouac/infra/runtime';

import { RecordTrailRead, ReplayParkedHome, SkipParkedEvent } from './api/index.ts';
import { definitionOf, everyEvent } from './definitions.ts';
import { digestOf } from './digest.ts';
import { misfitOf } from './domain/misfit.ts';
import { noOrders, orderReplay, type Orders, orderSkip, type ParkedAt } from './domain/parking.ts';
import { evolveReading, noReading, type Reading, recordReading } from './domain/trail-read.ts';
import { blocksProjection } from './projections/blocks.ts';
import { checkpointStream, parkedHomes, parkedIn } from './queries/parked-homes.ts';
import { trail } from './queries/trail.ts';

export { streamKinds } from './queries/objects.ts';

const reading = aggregate<Reading, readonly [typeof TrailRead]>({
  category: 'trailread',
  events: [TrailRead],
  initial: noReading,
  evolve: evolveReading,
});

const orders = aggregate<Orders, typeof parkingOrderEvents>({
  category: 'parking',
  events: parkingOrderEvents,
  initial: noOrders,
  evolve: (state) => state,
});

/** Where a home stands by its service's checkpoint. */
async function parkedAt(
  { service, homeId }: { readonly service: ParkingService; readonly homeId: string },
  last: (stream: string) => Promise<Recorded | undefined>,
): Promise<ParkedAt | undefined> {
  const homes = parkedIn(service, await last(checkpointStream(service)));
  return homes.find((home) => home.homeId === homeId);
}

export const auditService = service({
  name: 'audit',
  events: everyEvent,
  commands: [
    handler(RecordTrailRead, reading, {
      // A stream for each: no reader's stream grows, and no two readers wait for each other.
      stream: (_input, { commandKey }) => `trailread-${commandKey}`,
      // The reader's own affair, whoever's things it reads.
      owner: (_input, { tenantId, homeId }) => ({ tenantId, homeId }),
      prepare: async ({ filter, page }, _ports, { principal }) => {
        const { account, ...question } = filter;
        return {
          input: {
            question: { ...question, ...(account !== undefined && { accountId: account.id }) },
            page,
            by: principal.memberId ?? principal.id,
            audience: principal.audience,
            digest: digestOf({ filter, page }),
            misfit: misfitOf({ filter, page }, (type) => definitionOf.has(type)),
          },
        };
      },
      decide: recordReading,
      result: (_events, _input, stream) => ({ read: stream }),
    }),
    handler(ReplayParkedHome, orders, {
      stream: ({ service }) => parkingStream(service),
      owner: () => 'platform',
      prepare: async (input, _ports, { last }) => ({
        input: { ...input, at: await parkedAt(input, last) },
      }),
      decide: orderReplay,
      result: ordered,
    }),
    handler(SkipParkedEvent, orders, {
      stream: ({ service }) => parkingStream(service),
      owner: () => 'platform',
      prepare: async (input, _ports, { last }) => ({
        input: { ...input, at: await parkedAt(input, last) },
      }),
      decide: orderSkip,
      result: ordered,
    }),
  ],
  queries: [trail(), parkedHomes()],
  projections: [blocksProjection],
  policies: [],
  responders: [],
});

/** The event that the order is about. */
function ordered(events: readonly Recorded[]): { readonly eventId: string } {
  return { eventId: String(events[0]?.data['eventId']) };
}
