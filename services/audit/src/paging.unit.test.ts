/** Read page by page, in either direction and by whatever filter, the trail is what a naive filter says. */
import { TenantClosed, TenantRenamed } from '@bivouac/events/accounts';
import type { StoredEvent } from '@bivouac/events/language';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  at,
  closed,
  itemsOf,
  one,
  other,
  ownerOf,
  positionText,
  type Question,
  renamed,
  staff,
  type World,
  world,
} from './given.ts';

type Filter = Question['filter'];

/** A run of events of one kind; together they go over several blocks of the index. */
const runArb = fc.record({
  home: fc.constantFrom(one, other),
  stream: fc.constantFrom('tree', 'ledger', 'own'),
  actor: fc.constantFrom('key_a', 'key_b', 'key_c'),
  closes: fc.boolean(),
  length: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 700 })),
  // Recorded times may run backwards between streams.
  minute: fc.integer({ min: 0, max: 2000 }),
});

type Run = typeof runArb extends fc.Arbitrary<infer R> ? R : never;

/** Given now and then: what is not given lets more through. */
function seldom<T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: arb });
}

const filterArb: fc.Arbitrary<Filter> = fc.record({
  object: seldom(fc.constantFrom(one, other, `tree-${one}`)),
  actor: seldom(fc.constantFrom('key_a', 'key_b', 'key_never')),
  account: seldom(
    fc.constantFrom<NonNullable<Filter['account']>>(
      { id: one, homeId: one },
      { id: other, homeId: other },
      { id: other, tenants: [other] },
    ),
  ),
  types: seldom(
    fc.constantFrom<string[]>([], [TenantClosed.type], [TenantClosed.type, TenantRenamed.type]),
  ),
  from: seldom(fc.integer({ min: 0, max: 1000 }).map(at)),
  to: seldom(fc.integer({ min: 1001, max: 2001 }).map(at)),
  afterPosition: seldom(fc.integer({ min: 0, max: 1500 }).map(positionText)),
  upToPosition: seldom(fc.integer({ min: 1501, max: 4000 }).map(positionText)),
});

async function fill(here: World, runs: readonly Run[]): Promise<void> {
  for (const [i, { home, stream, actor, closes, length, minute }] of runs.entries()) {
    const event = closes ? closed(home) : renamed(home, 'n');
    await here.appendAll(
      stream === 'own' ? `own${i}-x` : `${stream}-${home}`,
      Array.from({ length }, () => event),
      home,
      { actorid: actor, time: at(minute) },
    );
  }
}

function fits(e: StoredEvent, { object, actor, account, types, ...range }: Filter): boolean {
  return (
    (object === undefined || e.stream === object || e.stream.endsWith(`-${object}`)) &&
    (actor === undefined || e.actorid === actor) &&
    (account === undefined || e.homeid === account.id) &&
    (!types?.length || types.includes(e.type)) &&
    (range.from === undefined || e.time >= range.from) &&
    (range.to === undefined || e.time < range.to) &&
    (range.afterPosition === undefined || e.position > range.afterPosition) &&
    (range.upToPosition === undefined || e.position <= range.upToPosition)
  );
}

/** The last position that is asked for: never before the first. */
function lastOf(last: string, { afterPosition, upToPosition }: Filter): string {
  const asked = upToPosition !== undefined && upToPosition < last ? upToPosition : last;
  return asked > (afterPosition ?? '') ? asked : positionText(Number(afterPosition ?? 0) + 1);
}

/** All pages of a question from one end to the other. */
async function readThrough(
  here: World,
  {
    filter,
    limit,
    reverse,
    as,
  }: {
    readonly filter: Filter;
    readonly limit: number;
    readonly reverse: boolean;
    readonly as: typeof staff;
  },
): Promise<string[]> {
  const read: string[] = [];
  for (let cursor: string | undefined; ;) {
    const answer = await here.look(
      {
        filter,
        page: { limit, reverse, ...(cursor && (reverse ? { before: cursor } : { after: cursor })) },
      },
      as,
    );
    const found = itemsOf(answer).map(({ position }) => position);
    if (reverse) read.unshift(...found);
    else read.push(...found);
    if (!answer.ok) return read;
    const { hasNext, hasPrevious, reached } = answer.result;
    if (!(reverse ? hasPrevious : hasNext)) return read;
    const next = reached ?? (reverse ? found[0] : found.at(-1));
    expect(next).not.toBe(cursor);
    cursor = next;
  }
}

test('every page in both directions adds up to exactly what a filter says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(runArb, { maxLength: 12, size: 'max' }),
      fc.array(filterArb, { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 40, max: 100 }),
      // Few events looked at for one answer: pages end early and are gone on from.
      fc.constantFrom(
        { looked: 300, batch: 30 },
        { looked: 700, batch: 7 },
        { looked: 20_000, batch: 500 },
      ),
      fc.constantFrom(staff, ownerOf(one)),
      async (runs, filters, limit, bounds, as) => {
        const here = await world(bounds);
        try {
          await fill(here, runs);
          await here.host.settled();
          const { events } = await here.store.readAll({ limit: 100_000 });
          // What is recorded by asking is not part of it.
          const last = events.at(-1)?.position ?? '';
          for (const given of filters) {
            const filter = { ...given, upToPosition: lastOf(last, given) };
            const mine = events.filter((e) => as === staff || e.tenantid === one);
            const expected = mine.filter((e) => fits(e, filter)).map(({ position }) => position);
            for (const reverse of [false, true]) {
              const read = await readThrough(here, { filter, limit, reverse, as });
              expect(read.filter((position) => position <= last)).toEqual(expected);
            }
          }
        } finally {
          await here.stop();
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('a page of one who rarely acts is found without reading all the others', async () => {
  // The latest block is always read: so many events, and a part of a block, and what reads count.
  const here = await world({ looked: 1400, batch: 500 });
  const many = Array.from({ length: 450 }, () => renamed(one, 'n'));
  for (let i = 0; i < 12; i++) {
    await here.appendAll(`tree-${one}`, many, one, { actorid: 'key_often' });
    if (i !== 5) continue;
    await here.append(`tree-${other}`, closed(other), other, { actorid: 'key_rare' });
  }
  await here.host.settled();
  for (const filter of [{ actor: 'key_rare' }, { types: [TenantClosed.type] }]) {
    for (const reverse of [false, true]) {
      const answer = await here.look({ filter, page: { limit: 10, reverse } });
      expect(itemsOf(answer)).toHaveLength(1);
      expect(answer).toMatchObject({ result: { hasNext: false, hasPrevious: false } });
    }
  }
  await here.stop();
});
