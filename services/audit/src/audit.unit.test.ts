/** The trail keeps the tenant wall, shows fields by audience, and remembers who has read it. */
import { TenantClosed, TenantRenamed } from '@bivouac/events/accounts';
import { TrailRead } from '@bivouac/events/audit';
import { deriveId } from '@bivouac/events/values';
import { afterEach, expect, test } from '@jest/globals';

import {
  at,
  closed,
  itemsOf,
  one,
  other,
  ownerOf,
  page,
  positionText,
  type Question,
  registry,
  renamed,
  staff,
  type World,
  world,
} from './given.ts';

const worlds: World[] = [];
afterEach(async () => {
  for (const open of worlds.splice(0)) await open.stop();
});

async function open(): Promise<World> {
  const opened = await world();
  worlds.push(opened);
  return opened;
}

test('the history of an object has all streams about it, in log order; a stream has its own', async () => {
  const here = await open();
  await here.append(`tree-${one}`, renamed(one, 'a'), one);
  await here.append(`tree-${other}`, renamed(other, 'b'), other);
  await here.append(`ledger-${one}`, renamed(one, 'c'), one);
  await here.append(`tree-${one}`, closed(one), one);
  const all = itemsOf(await here.look({ filter: { object: one }, page }, ownerOf(one)));
  expect(all.map(({ stream, revision }) => [stream, revision])).toEqual([
    [`tree-${one}`, '0'],
    [`ledger-${one}`, '0'],
    [`tree-${one}`, '1'],
  ]);
  const tree = itemsOf(await here.look({ filter: { object: `tree-${one}` }, page }));
  expect(tree.map(({ type }) => type)).toEqual([TenantRenamed.type, TenantClosed.type]);
});

test('a tenant is a wall: by whatever filter, nothing of another is answered', async () => {
  const here = await open();
  await here.append(`tree-${one}`, renamed(one, 'a'), one);
  await here.append(`tree-${other}`, renamed(other, 'b'), other);
  const filters: Question['filter'][] = [
    { object: one },
    { object: `tree-${one}` },
    { actor: 'key_a' },
    { account: { id: one, homeId: one } },
    { account: { id: one, tenants: [one, other] } },
    { types: [TenantRenamed.type] },
    {},
  ];
  for (const filter of filters) {
    const seen = itemsOf(await here.look({ filter, page }, ownerOf(other)));
    expect(seen.filter(({ tenantId }) => tenantId !== other)).toEqual([]);
  }
  // Without the wall there is something to see by each of them.
  for (const filter of filters) {
    expect(itemsOf(await here.look({ filter, page })).length).toBeGreaterThan(0);
  }
});

test('each audience sees its fields of an event and no others', async () => {
  const here = await open();
  await here.append(`tree-${one}`, closed(one), one);
  const filter = { object: one };
  const [seen] = itemsOf(await here.look({ filter, page }, ownerOf(one)));
  const [whole] = itemsOf(await here.look({ filter, page }, { ...staff, audience: 'auditor' }));
  expect(whole?.data).toHaveProperty('reason', 'moved away');
  expect(seen?.data).toHaveProperty('tenantId', one);
  expect(seen?.data).not.toHaveProperty('reason');
});

test('an account is found with all below it, also in the streams that its root owns', async () => {
  const here = await open();
  const below = deriveId('tenant', 'below');
  await here.append(`tree-${one}`, renamed(one, 'root'), one);
  await here.append(`tree-${one}`, renamed(below, 'sub'), one);
  await here.append(`member-x`, renamed(below, 'own'), one, { tenantid: below });
  const account = { id: below, homeId: one, tenants: [below] };
  const found = itemsOf(await here.look({ filter: { account }, page }));
  expect(found.map(({ stream }) => stream)).toEqual([`tree-${one}`, 'member-x']);
});

test('a question is in the log before its answer, once for each asking, and allows only itself', async () => {
  const here = await open();
  await here.append(`tree-${one}`, renamed(one, 'a'), one);
  const account = { id: one, homeId: one };
  const question = { filter: { account }, page };
  expect(await here.ask(staff, question)).toMatchObject({ refusal: { code: 'NOT_ALLOWED' } });
  expect(itemsOf(await here.look(question))).toHaveLength(1);
  expect(itemsOf(await here.look(question))).toHaveLength(1);

  const { events } = await here.store.readAll();
  const records = events.filter(({ type }) => type === TrailRead.type);
  expect(records.map((event) => [event.actorid, registry.decode(event)?.data])).toMatchObject(
    Array(2).fill([
      'key_staff',
      { question: { accountId: one }, page, by: 'mem_staff', audience: 'staff' },
    ]),
  );
  const read = records[0]?.stream ?? '';
  expect(itemsOf(await here.ask(staff, question, read))).toHaveLength(1);
  for (const [principal, changed] of [
    [staff, { filter: { account: { id: other, homeId: other } }, page }],
    [staff, { filter: { account }, page: { ...page, limit: 99 } }],
    [{ ...staff, memberId: 'mem_another' }, question],
  ] as const) {
    expect(await here.ask(principal, changed, read)).toMatchObject({
      refusal: { code: 'NOT_ALLOWED' },
    });
  }
});

test('a recorded question answers nothing that came after it, however often it is put', async () => {
  const here = await open();
  await here.append(`tree-${one}`, renamed(one, 'a'), one);
  const question = { filter: { object: one }, page };
  const reply = await here.record(staff, question);
  const read = reply.ok ? reply.result.read : '';
  const before = await here.ask(staff, question, read);
  await here.append(`tree-${one}`, closed(one), one);
  expect(itemsOf(await here.ask(staff, question, read))).toEqual(itemsOf(before));
  expect(itemsOf(await here.look(question))).toHaveLength(2);
});

test("a tenant's reading is recorded too, in its own tree; others' is not seen there", async () => {
  const here = await open();
  await here.append(`tree-${one}`, renamed(one, 'a'), one);
  await here.look({ filter: { object: one }, page });
  await here.look({ filter: { object: one }, page }, ownerOf(one));
  const reads = { filter: { types: [TrailRead.type] }, page };
  const own = itemsOf(await here.look(reads, ownerOf(one)));
  expect(own.map(({ actorId }) => actorId)).toEqual([ownerOf(one).id]);
  expect(itemsOf(await here.look(reads))).toHaveLength(3);
});

test('who has no right to history neither reads it nor leaves a trace', async () => {
  const here = await open();
  const nobody = { ...ownerOf(one), rights: new Set(['account.read'] as const) };
  const question = { filter: {}, page };
  expect(await here.record(nobody, question)).toMatchObject({ refusal: { code: 'NOT_ALLOWED' } });
  expect(await here.ask(nobody, question)).toMatchObject({ refusal: { code: 'NOT_ALLOWED' } });
  expect((await here.store.readAll()).events).toEqual([]);
});

test.each<[string, Question, string[]]>([
  ['a cursor that is none', { filter: {}, page: { ...page, after: 'x' } }, ['after']],
  ['times in the wrong order', { filter: { from: at(2), to: at(1) }, page }, ['filter', 'to']],
  [
    'positions in the wrong order',
    { filter: { afterPosition: positionText(2), upToPosition: positionText(2) }, page },
    ['filter', 'upToPosition'],
  ],
  [
    'a type that is none',
    { filter: { types: [TenantClosed.type, 'accounts.TenantClosd'] }, page },
    ['filter', 'types', '1'],
  ],
  ['free text', { filter: { actor: 'jane@example.com' }, page }, ['filter', 'actor']],
])('%s is refused by name and leaves no trace', async (_what, question, path) => {
  const here = await open();
  const refusal = { code: 'INVALID_INPUT', path };
  expect(await here.record(staff, question)).toMatchObject({ refusal });
  expect((await here.store.readAll()).events).toEqual([]);
});
