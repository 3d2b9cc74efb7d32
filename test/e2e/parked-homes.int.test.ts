/** A home that waits: staff see it, have it tried again, and leave out what cannot be handled. */
import { DunningHoldDue } from '@bivouac/events/billing';
import { eventRegistry } from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, open, type Running } from './installation.ts';

afterEach(closeAll);

const registry = eventRegistry([DunningHoldDue]);

/** An invoice of an account is overdue, says something in the home of the demo customer. */
async function overdue(running: Running, accountId: string, name: string): Promise<string> {
  const { clock, seeded, installation } = running;
  const { homeId } = seeded.customer;
  const invoiceId = deriveId('invoice', name);
  const commandkey = uuidOf('overdue', name);
  const id = uuidOf(commandkey, '0');
  await installation.store.append(`overdue-${invoiceId}`, 'no-stream', [
    {
      ...registry.encode(DunningHoldDue({ accountId, homeId, invoiceId, stage: 'hold' })),
      ...{ id, type: DunningHoldDue.type, time: instantOf(clock.now()), tenantid: accountId },
      ...{ homeid: homeId, actorid: 'test', commandkey, inputhash: '' },
      ...{ correlationid: commandkey, causationid: commandkey },
    },
  ]);
  return id;
}

const Parked = z.object({
  parkedHomes: z.object({
    edges: z.array(
      z.object({
        node: z.object({
          service: z.string(),
          home: z.string(),
          eventId: z.string(),
          eventType: z.string(),
          reaction: z.string().nullable(),
          reason: z.string(),
          since: z.string(),
        }),
      }),
    ),
  }),
});
type Listed = z.output<typeof Parked>['parkedHomes']['edges'][number]['node'];

async function listed(running: Running, only = ''): Promise<readonly Listed[]> {
  const { parkedHomes } = await running.staff.read(
    Parked,
    `{ parkedHomes${only} { edges { node {
      service home eventId eventType reaction reason since } } } }`,
  );
  return parkedHomes.edges.map(({ node }) => node);
}

/** What services have come to is written down once a second; looks until the list is as it is to be. */
async function until(
  running: Running,
  met: (homes: readonly Listed[]) => boolean,
): Promise<readonly Listed[]> {
  for (;;) {
    const homes = await listed(running);
    if (met(homes)) return homes;
    running.clock.advance(1000);
    // The log writes beside all this, in turns of its own.
    await new Promise((resolve) => setImmediate(resolve));
    await running.installation.host.settled();
  }
}

const Holds = z.object({
  account: z.object({ holds: z.array(z.object({ kind: z.string() })) }),
});

test('staff see a parked home, have it tried again, and leave the event out: then it flows', async () => {
  const running = await open();
  const { staff, owner, seeded, installation, clock } = running;
  const { tenantId, homeId } = seeded.customer;
  const holds = async () => {
    const query = `{ account(id: "${tenantId}") { holds { kind } } }`;
    return (await staff.read(Holds, query)).account.holds;
  };
  expect(await listed(running)).toEqual([]);

  // Of an account that nobody knows: no hold can be placed. What comes after it in the home waits.
  const bad = await overdue(running, deriveId('tenant', 'nobody'), 'of nobody');
  await overdue(running, tenantId, 'of the customer');
  await installation.host.settled();
  const [parked] = await until(running, (homes) => homes.length === 1);
  expect(parked).toMatchObject({
    ...{ service: 'ACCOUNTS', home: homeId, eventId: bad, eventType: 'billing.DunningHoldDue' },
    ...{ reaction: 'accounts.dunning-holds', reason: 'HANDLER_FAILED' },
  });
  expect(await listed(running, '(service: BILLING)')).toEqual([]);
  expect(await listed(running, '(service: ACCOUNTS)')).toEqual([parked]);
  expect(await holds()).toEqual([]);

  const which = { service: 'ACCOUNTS', homeId };
  expect(await owner.mutate('replayParkedHome', which)).toMatchObject({ __typename: 'NotAllowed' });
  expect(await staff.mutate('replayParkedHome', which, 'again')).toMatchObject({
    __typename: 'ParkedHomeReplayOrdered',
  });
  // Nothing is mended, so it fails again.
  const [again] = await until(running, ([home]) => (home?.since ?? '') > (parked?.since ?? ''));
  expect(again).toEqual({ ...parked, since: again?.since });
  expect(await holds()).toEqual([]);

  const reason = 'No such account was ever billed.';
  const other = { ...which, eventId: uuidOf('another'), reason };
  expect(await staff.mutate('skipParkedEvent', other)).toMatchObject({
    ...{ __typename: 'StateConflict', code: 'PARKED_AT_OTHER_EVENT', path: ['input', 'eventId'] },
  });
  const skip = { ...which, eventId: bad, reason };
  expect(await staff.mutate('skipParkedEvent', skip, 'skip')).toMatchObject({
    __typename: 'ParkedEventSkipOrdered',
  });
  await until(running, (homes) => homes.length === 0);
  await installation.host.settled();
  expect(await holds()).toEqual([{ kind: 'BILLING' }]);

  // Done is done: sent again it has its first answer, and there is nothing more to see to.
  expect(await staff.mutate('skipParkedEvent', skip, 'skip')).toMatchObject({
    ...{ __typename: 'ParkedEventSkipOrdered', repeated: true },
  });
  expect(await staff.mutate('replayParkedHome', which)).toMatchObject({
    ...{ __typename: 'NotFound', code: 'HOME_NOT_PARKED' },
  });
  clock.advance(1000);
  await installation.host.settled();
  expect(await listed(running)).toEqual([]);
});

test('a home that is parked at a stop is tried again at the start, and an event left out stays so', async () => {
  const first = await open();
  const { seeded, staff } = first;
  const bad = await overdue(first, deriveId('tenant', 'nobody'), 'of nobody');
  await first.installation.host.settled();
  const [parked] = await until(first, (homes) => homes.length === 1);
  await first.stop();

  const second = await open({ folder: first.folder, now: first.clock.now() + 60_000 });
  const [again] = await until(second, ([home]) => (home?.since ?? '') > (parked?.since ?? ''));
  expect(again?.eventId).toBe(bad);
  const { homeId } = seeded.customer;
  const reason = 'No such account was ever billed.';
  const skip = { service: 'ACCOUNTS', homeId, eventId: bad, reason };
  expect(await second.staff.mutate('skipParkedEvent', skip)).toMatchObject({
    __typename: 'ParkedEventSkipOrdered',
  });
  await until(second, (homes) => homes.length === 0);
  expect(staff).not.toBe(second.staff);
  await second.stop();

  const third = await open({ folder: first.folder, now: second.clock.now() + 60_000 });
  await third.installation.host.settled();
  expect(await listed(third)).toEqual([]);
});
