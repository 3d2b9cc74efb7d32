// Parked homes: the list is what the services have written down, page by page; orders are recorded for
// what is parked, and refused for what is not.
import { parkingServices } from '@bivouac/events/audit';
import { formatPosition, type Principal } from '@bivouac/events/language';
import { deriveId, uuidOf } from '@bivouac/events/values';
import { CheckpointRecorded } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  ParkedHomes,
  type ParkedHomeView,
  ReplayParkedHome,
  SkipParkedEvent,
} from './api/parking.ts';
import { ownerOf, START, staff as reader, type World, world } from './given.ts';

const staff: Principal = {
  ...reader,
  rights: new Set(['platform.read', 'operations.repair'] as const),
};
const homeOf = (n: number): string => deriveId('tenant', `home ${n}`);
const eventOf = (home: string): string => uuidOf('parked', home);

/** A service writes down that these homes are parked, as its reactions would. */
async function says(here: World, service: string, homes: readonly string[]): Promise<void> {
  const parked = homes.map((homeId, i) => ({
    ...{ homeId, from: String(i + 1), eventId: eventOf(homeId), type: 'a.Type' },
    ...{ reaction: null, reason: 'invalid-body' as const, since: START },
  }));
  const checkpoint = CheckpointRecorded({ marks: new Array<string>(64).fill(''), parked });
  await here.append(`checkpoint-${service}`, checkpoint, `checkpoint-${service}`, {
    actorid: `reactions:${service}`,
  });
}

async function pageOf(here: World, page: object, service?: 'billing') {
  const reply = await here.host.query(
    ParkedHomes,
    { page: { limit: 20, reverse: false, ...page }, ...(service && { service }) },
    { principal: staff },
  );
  if (!reply.ok) throw new Error(reply.refusal.message);
  return reply.result;
}

const nameOf = ({ service, homeId }: ParkedHomeView): string => `${service} ${homeId}`;

test('whatever the pages and whichever way, they make up all that is parked, each once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(fc.constantFrom(...parkingServices), fc.nat(9)), {
        maxLength: 20,
        selector: String,
      }),
      fc.integer({ min: 1, max: 7 }),
      async (parked, limit) => {
        const here = await world();
        try {
          for (const service of new Set(parked.map(([of]) => of))) {
            const homes = parked.flatMap(([of, n]) => (of === service ? [homeOf(n)] : []));
            // Only what is said last counts.
            await says(here, service, [homeOf(77)]);
            await says(here, service, homes);
          }
          const expected = parked.map(([service, n]) => `${service} ${homeOf(n)}`).sort();
          for (const reverse of [false, true]) {
            const read: string[] = [];
            for (let cursor: string | undefined; ;) {
              const at =
                cursor === undefined ? {} : reverse ? { before: cursor } : { after: cursor };
              const page = await pageOf(here, { limit, reverse, ...at });
              const names = page.items.map(({ node }) => nameOf(node));
              expect(names.length).toBeLessThanOrEqual(limit);
              if (reverse) read.unshift(...names);
              else read.push(...names);
              expect(reverse ? page.hasNext : page.hasPrevious).toBe(cursor !== undefined);
              if (!(reverse ? page.hasPrevious : page.hasNext)) break;
              cursor = (reverse ? page.items[0] : page.items.at(-1))?.cursor;
            }
            expect(read).toEqual(expected);
          }
        } finally {
          await here.stop();
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('the list says where a home waits, and can be of one service alone', async () => {
  const here = await world();
  expect((await pageOf(here, {})).items).toEqual([]);
  await says(here, 'billing', [homeOf(1)]);
  await says(here, 'quotas', [homeOf(2)]);
  const { items } = await pageOf(here, {}, 'billing');
  expect(items.map(({ node }) => node)).toEqual([
    {
      ...{ service: 'billing', homeId: homeOf(1), eventId: eventOf(homeOf(1)) },
      ...{ position: formatPosition(1n), eventType: 'a.Type', reaction: null },
      ...{ reason: 'invalid-body', since: START },
    },
  ]);
  await expect(pageOf(here, { after: 'none of ours' })).rejects.toThrow('cursor');
  await here.stop();
});

test('what is parked can be ordered to be handled again or left out; what is not, not', async () => {
  const here = await world();
  const homeId = homeOf(1);
  const eventId = eventOf(homeId);
  const reason = 'It was done by hand.';
  const order = (key: string, principal = staff) =>
    here.host.command(
      ReplayParkedHome,
      { service: 'billing', homeId },
      { principal, idempotencyKey: key },
    );
  const skip = (id: string, key: string) =>
    here.host.command(
      SkipParkedEvent,
      { service: 'billing', homeId, eventId: id, reason },
      { principal: staff, idempotencyKey: key },
    );
  const refused = (code: string) => ({ ok: false, refusal: { code } });
  expect(await order('early')).toMatchObject(refused('HOME_NOT_PARKED'));
  expect(await skip(eventId, 'early')).toMatchObject(refused('HOME_NOT_PARKED'));
  await says(here, 'billing', [homeId]);
  expect(await order('not ours', ownerOf(homeId))).toMatchObject({ ok: false });
  expect(await skip(uuidOf('another'), 'other')).toMatchObject(refused('PARKED_AT_OTHER_EVENT'));
  expect(await order('again')).toMatchObject({ ok: true, result: { eventId } });
  expect(await skip(eventId, 'skip')).toMatchObject({ ok: true, result: { eventId } });

  const page = await here.store.readStream('parking-billing');
  const recorded = page.exists ? page.events : [];
  expect(recorded.map(({ type, homeid, actorid }) => [type, homeid, actorid])).toEqual([
    ['audit.ParkedHomeReplayOrdered', 'parking-billing', staff.id],
    ['audit.ParkedEventSkipOrdered', 'parking-billing', staff.id],
  ]);
  // A repeat has its first answer, whatever has become of the home.
  await says(here, 'billing', []);
  expect(await skip(eventId, 'skip')).toMatchObject({ ok: true, repeated: true });
  expect(await order('later')).toMatchObject(refused('HOME_NOT_PARKED'));
  await here.stop();
});
