import { beforeEach, describe, expect, test } from '@jest/globals';
import { PROVIDER_ID, readApiKey, TenantCreated } from '@bivouac/events/accounts';
import { deriveId } from '@bivouac/events/values';
import type { PolicyContext } from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';

import {
  AccountById,
  AccountHistory,
  Accounts,
  AddMember,
  ApiKeys,
  Authenticate,
  CloseTenant,
  CreateApiKey,
  CreateCustomer,
  CreateProvider,
  LiftTenantHold,
  Members,
  PlaceTenantHold,
  RenameTenant,
  RevokeApiKey,
  TreeOf,
} from './api/index.ts';
import { customerOf, type Fixture, fixture, provider, staff } from './fixture.ts';
import { admit } from './policies/admit.ts';
import { accountsService } from './service.ts';

const contact = { email: 'anna@example.com', name: 'Anna Example' };
const page = { limit: 100 };
let it: Fixture;

/** The result, or a failed test that shows the refusal. */
async function done<R>(
  reply: Promise<{ ok: true; result: R } | { ok: false; refusal: unknown }>,
): Promise<R> {
  const settled = await reply;
  if (!settled.ok) throw new Error(JSON.stringify(settled.refusal));
  return settled.result;
}

async function newCustomer(name = 'Alpine Web'): Promise<string> {
  return (await done(it.run(CreateCustomer, { name, contact }))).tenantId;
}

async function newMember(tenantId: string) {
  const input = { tenantId, homeId: tenantId, role: 'owner' as const, ...contact };
  return done(it.run(AddMember, input, staff));
}

async function newKey(tenantId: string, expiresAt?: string) {
  const { memberId } = await newMember(tenantId);
  const input = { tenantId, homeId: tenantId, memberId, label: 'deploy job', expiresAt };
  const { keyId, key } = await done(it.run(CreateApiKey, input));
  const read = readApiKey(key ?? '');
  if (read === undefined) throw new Error('the first reply shows no key');
  return { keyId, memberId, text: key ?? '', hash: read.hash };
}

async function answerOf(args: { keyId: string; keyHash: string }): Promise<unknown> {
  return it.answerTo(Authenticate, args, provider);
}

beforeEach(async () => {
  it = fixture(accountsService);
  await done(it.run(CreateProvider, { name: 'Bivouac', contact }, provider, 'provider'));
});

describe('the provider', () => {
  test('is created once, and the same command again is answered as the first time', async () => {
    const again = await it.run(CreateProvider, { name: 'Bivouac', contact }, provider, 'provider');
    expect(again).toMatchObject({ ok: true, repeated: true, result: { tenantId: PROVIDER_ID } });
    expect(await it.run(CreateProvider, { name: 'Another' }, provider)).toMatchObject({
      ok: false,
      refusal: { code: 'PROVIDER_EXISTS' },
    });
  });

  test('is not created by people', async () => {
    expect(await it.run(CreateProvider, { name: 'x' }, staff)).toMatchObject({
      refusal: { code: 'NOT_ALLOWED' },
    });
  });
});

describe('a customer', () => {
  test('is a tree of its own; the same order again is the same customer', async () => {
    const order = { name: 'Alpine Web', contact };
    const first = await done(it.run(CreateCustomer, order, staff, 'order 1'));
    expect(first.homeId).toBe(first.tenantId);
    expect(await it.run(CreateCustomer, order, staff, 'order 1')).toMatchObject({
      repeated: true,
      result: first,
    });
    const second = await done(it.run(CreateCustomer, order, staff, 'order 2'));
    expect(second.tenantId).not.toBe(first.tenantId);
    expect((await it.log()).at(-1)).toMatchObject({
      stream: `tree-${second.tenantId}`,
      tenantid: second.tenantId,
      homeid: second.tenantId,
    });
  });

  test('with a name too long, empty or with control characters is refused by its field', async () => {
    for (const name of ['x'.repeat(81), '  ', 'a\u0000b']) {
      expect(await it.run(CreateCustomer, { name, contact })).toMatchObject({
        refusal: { code: 'INVALID_INPUT', path: ['name'] },
      });
    }
  });

  test('is shown with its contact opened, and without it once the person is erased', async () => {
    const tenantId = await newCustomer();
    const shown = await it.ask(AccountById, { tenantId });
    expect(shown).toMatchObject({ name: 'Alpine Web', contact, holds: [], closed: false });
    await it.keys.destroy(shown?.contact?.personId ?? '', ['contact']);
    expect((await it.ask(AccountById, { tenantId }))?.contact).toMatchObject({
      email: null,
      name: null,
    });
  });

  test('sees itself and is a wall to others', async () => {
    const [one, two] = [await newCustomer('One'), await newCustomer('Two')];
    const caller = customerOf(one);
    expect((await it.ask(Accounts, { page }, caller)).items.map((i) => i.node.id)).toEqual([one]);
    expect(await it.ask(AccountById, { tenantId: two }, caller)).toBeNull();
    expect(await it.ask(TreeOf, { tenantId: two }, caller)).toBeNull();
    expect(await it.ask(Members, { tenantId: two, page }, caller)).toBeNull();
    expect(await it.ask(ApiKeys, { tenantId: two, page }, caller)).toBeNull();
    expect(await it.ask(AccountHistory, { tenantId: two, page }, caller)).toBeNull();
    const rename = { tenantId: two, homeId: two, name: 'Mine' };
    expect(await it.run(RenameTenant, rename, caller)).toMatchObject({
      refusal: { code: 'TENANT_UNKNOWN' },
    });
    const { memberId } = await newMember(two);
    for (const reply of [
      await it.run(AddMember, { tenantId: two, homeId: two, role: 'owner', ...contact }, caller),
      await it.run(CreateApiKey, { tenantId: two, homeId: two, memberId, label: 'x' }, caller),
    ]) {
      expect(reply).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    }
    const foreign = { tenantId: one, homeId: one, memberId, label: 'x' };
    expect(await it.run(CreateApiKey, foreign, caller)).toMatchObject({
      refusal: { code: 'MEMBER_UNKNOWN' },
    });
    const { keyId } = await newKey(two);
    expect(await it.run(RevokeApiKey, { keyId }, caller)).toMatchObject({
      refusal: { code: 'KEY_UNKNOWN' },
    });
  });

  test('named with a home that is not its own is unknown, and nothing is written there', async () => {
    const [one, two] = [await newCustomer('One'), await newCustomer('Two')];
    const before = (await it.log()).length;
    const input = { tenantId: one, homeId: two, role: 'owner' as const, ...contact };
    for (const caller of [customerOf(one), staff]) {
      expect(await it.run(AddMember, input, caller)).toMatchObject({
        refusal: { code: 'TENANT_UNKNOWN' },
      });
    }
    const nobody = deriveId('tenant', 'nobody');
    const renamed = { tenantId: nobody, homeId: nobody, name: 'x' };
    expect(await it.run(RenameTenant, renamed)).toMatchObject({ ok: false });
    expect(await it.log()).toHaveLength(before);
  });
});

describe('lists', () => {
  test('page forwards and backwards in the order things came to be', async () => {
    const ids = [PROVIDER_ID];
    for (const name of ['a', 'b', 'c', 'd']) ids.push(await newCustomer(name));
    const first = await it.ask(Accounts, { page: { limit: 2 } });
    expect(first).toMatchObject({ hasNext: true, hasPrevious: false });
    const second = await it.ask(Accounts, {
      page: { limit: 2, after: first.items.at(-1)?.cursor },
    });
    const third = await it.ask(Accounts, {
      page: { limit: 2, after: second.items.at(-1)?.cursor },
    });
    expect(third.hasNext).toBe(false);
    expect([first, second, third].flatMap((p) => p.items.map((i) => i.node.id))).toEqual(ids);
    const last = await it.ask(Accounts, { page: { limit: 2, reverse: true } });
    expect(last.items.map((i) => i.node.id)).toEqual(ids.slice(-2));
  });

  test('of a tenant without any are empty', async () => {
    const tenantId = await newCustomer();
    const empty = { items: [], hasNext: false, hasPrevious: false };
    expect(await it.ask(Members, { tenantId, page })).toEqual(empty);
    expect(await it.ask(ApiKeys, { tenantId, page })).toEqual(empty);
  });

  test('of members open what is sealed, null for whoever was erased', async () => {
    const tenantId = await newCustomer();
    const [one, two] = [await newMember(tenantId), await newMember(tenantId)];
    await it.keys.destroy(one.personId, ['contact']);
    expect((await it.ask(Members, { tenantId, page }))?.items.map((i) => i.node)).toMatchObject([
      { id: one.memberId, email: null, name: null },
      { id: two.memberId, ...contact, role: 'owner' },
    ]);
  });
});

describe('an API key', () => {
  test('is shown once and stored nowhere', async () => {
    const tenantId = await newCustomer();
    const { memberId } = await newMember(tenantId);
    const input = { tenantId, homeId: tenantId, memberId, label: 'deploy job' };
    const first = await done(it.run(CreateApiKey, input, staff, 'K'));
    const again = await it.run(CreateApiKey, input, staff, 'K');
    expect(again).toMatchObject({ repeated: true, result: { keyId: first.keyId, key: null } });
    const text = (await it.log()).map((e) => Buffer.from(e.data).toString()).join();
    expect(text).not.toContain(first.key);
    expect(text).not.toContain(contact.email);
    expect(text).not.toContain(contact.name);
    const listed = await it.ask(ApiKeys, { tenantId, page });
    const { hash } = readApiKey(first.key ?? '') ?? {};
    expect(JSON.stringify(listed)).not.toContain(hash);
  });

  test('says who presents it, and how far that one reaches', async () => {
    const tenantId = await newCustomer();
    const { keyId, memberId, hash } = await newKey(tenantId);
    expect(await answerOf({ keyId, keyHash: hash })).toMatchObject({
      keyId,
      memberId,
      tenantId,
      homeId: tenantId,
      kind: 'customer',
      role: 'owner',
      audience: 'customer',
      reach: [tenantId],
    });
    const own = await newKey(PROVIDER_ID);
    expect(await answerOf({ keyId: own.keyId, keyHash: own.hash })).toMatchObject({
      audience: 'staff',
      reach: 'all',
    });
  });

  test('that is unknown or not proven says so alike, also when it is revoked', async () => {
    const { keyId, hash } = await newKey(await newCustomer());
    const unknown = { kind: 'refused', refusal: { code: 'KEY_UNKNOWN' } };
    const other = deriveId('apiKey', 'other');
    expect(await answerOf({ keyId: other, keyHash: hash })).toMatchObject(unknown);
    expect(await answerOf({ keyId: other, keyHash: '0'.repeat(64) })).toMatchObject(unknown);
    await done(it.run(RevokeApiKey, { keyId }));
    expect(await answerOf({ keyId, keyHash: 'f'.repeat(64) })).toMatchObject(unknown);
    expect(await answerOf({ keyId, keyHash: hash })).toMatchObject({
      refusal: { code: 'KEY_REVOKED' },
    });
  });

  test('opens nothing from the instant it expires', async () => {
    const { keyId, hash } = await newKey(await newCustomer(), '2026-04-11T09:00:00.000Z');
    it.clock.moveTo('2026-04-11T08:59:59.999Z');
    expect(await answerOf({ keyId, keyHash: hash })).toMatchObject({ keyId });
    it.clock.moveTo('2026-04-11T09:00:00.000Z');
    expect(await answerOf({ keyId, keyHash: hash })).toMatchObject({
      refusal: { code: 'KEY_EXPIRED' },
    });
  });
});

describe('holds', () => {
  test('are placed and lifted by id, and prevent orders meanwhile', async () => {
    const tenantId = await newCustomer();
    const where = { tenantId, homeId: tenantId };
    const load: PolicyContext['load'] = (aggregate, stream, upTo) =>
      it.host.load(aggregate, stream, upTo);
    const mayOrder = () =>
      admit.act(
        { tenantId },
        { operationId: deriveId('operation', 'x'), step: 'admit', attempt: 1 },
        { homeid: tenantId, data: {} } as unknown as Parameters<typeof admit.act>[2],
        { load } as PolicyContext,
      );
    expect(await mayOrder()).toEqual({ outcome: 'done', result: {} });
    const place = { ...where, kind: 'billing' as const, reason: 'Invoice 42 is overdue' };
    const { holdId } = await done(it.run(PlaceTenantHold, place, staff, 'H'));
    expect(await it.run(PlaceTenantHold, place, staff, 'H')).toMatchObject({
      repeated: true,
      result: { holdId },
    });
    expect(await it.run(PlaceTenantHold, place)).toMatchObject({
      refusal: { code: 'HOLD_EXISTS', details: { holdId } },
    });
    expect(await mayOrder()).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'TENANT_ON_HOLD', details: { holdId } },
    });
    expect((await it.ask(AccountById, { tenantId }))?.holds).toMatchObject([
      { holdId, kind: 'billing', reason: place.reason, tenantId },
    ]);
    await done(it.run(LiftTenantHold, { ...where, holdId: holdId ?? '' }));
    expect(await mayOrder()).toMatchObject({ outcome: 'done' });
    expect((await it.ask(AccountById, { tenantId }))?.holds).toEqual([]);
  });

  test('are for staff to place', async () => {
    const tenantId = await newCustomer();
    const place = { tenantId, homeId: tenantId, kind: 'abuse' as const, reason: 'x' };
    expect(await it.run(PlaceTenantHold, place, customerOf(tenantId))).toMatchObject({
      refusal: { code: 'NOT_ALLOWED' },
    });
  });
});

describe('a tree of more than one', () => {
  test('is reached from above only; what holds above is seen below, not why', async () => {
    const homeId = await newCustomer('Reseller');
    const below = deriveId('tenant', 'below');
    const facts = { homeId, kind: 'customer' as const, parentId: homeId };
    await it.append(
      `tree-${homeId}`,
      TenantCreated({ ...facts, tenantId: below, name: 'Below', contact: null }),
      homeId,
      homeId,
    );
    const [above, inside] = [customerOf(homeId, [homeId, below]), customerOf(below)];
    const where = { tenantId: homeId, homeId };
    await done(it.run(PlaceTenantHold, { ...where, kind: 'billing', reason: 'Invoice 42' }));

    const listed = await it.ask(Accounts, { page }, above);
    expect(listed.items.map((i) => i.node.id)).toEqual([homeId, below]);
    expect((await it.ask(TreeOf, { tenantId: homeId }, above))?.tenants.map((t) => t.id)).toEqual([
      homeId,
      below,
    ]);
    expect((await it.ask(TreeOf, { tenantId: below }, inside))?.tenants).toMatchObject([
      { id: below, parentId: homeId },
    ]);
    expect((await it.ask(AccountById, { tenantId: below }, above))?.holds).toMatchObject([
      { tenantId: homeId, reason: 'Invoice 42' },
    ]);
    expect((await it.ask(AccountById, { tenantId: below }, inside))?.holds).toMatchObject([
      { tenantId: homeId, reason: null },
    ]);
    const types = async (caller: typeof above) =>
      (await it.ask(AccountHistory, { tenantId: below, page }, caller))?.items.map((i) => i.type);
    expect(await types(above)).toEqual(['accounts.TenantCreated', 'accounts.TenantHoldPlaced']);
    expect(await types(inside)).toEqual(['accounts.TenantCreated']);

    const { keyId, hash } = await newKey(homeId);
    expect(await answerOf({ keyId, keyHash: hash })).toMatchObject({ reach: [homeId, below] });
  });
});

describe('the history of an account', () => {
  test('shows each audience its fields, page by page', async () => {
    const tenantId = await newCustomer();
    const where = { tenantId, homeId: tenantId };
    for (const name of ['a', 'b', 'c']) await done(it.run(RenameTenant, { ...where, name }));
    await done(it.run(CloseTenant, { ...where, reason: 'Insolvent' }));
    const pages = [];
    let after: string | undefined;
    for (;;) {
      const args = { tenantId, page: { limit: 2, ...(after === undefined ? {} : { after }) } };
      const found = await it.ask(AccountHistory, args, customerOf(tenantId));
      pages.push(found?.items.map((i) => i.type.slice('accounts.Tenant'.length)));
      after = found?.items.at(-1)?.cursor;
      if (found?.end !== false) break;
    }
    expect(pages).toEqual([['Created', 'Renamed'], ['Renamed', 'Renamed'], ['Closed']]);
    const last = { tenantId, page: { limit: 1, reverse: true } };
    const [seenByStaff] = (await it.ask(AccountHistory, last))?.items ?? [];
    const [seenByCustomer] =
      (await it.ask(AccountHistory, last, customerOf(tenantId)))?.items ?? [];
    expect(seenByStaff?.data).toMatchObject({ tenantId, reason: 'Insolvent' });
    expect(seenByCustomer?.data).not.toHaveProperty('reason');
    expect(seenByStaff).toMatchObject({ actorId: staff.id, type: 'accounts.TenantClosed' });
  });
});

test('a rebuilt read model equals the live one', async () => {
  const tenantId = await newCustomer();
  const { keyId } = await newKey(tenantId);
  await it.follow();
  await done(it.run(RevokeApiKey, { keyId }));
  await done(it.run(RenameTenant, { tenantId, homeId: tenantId, name: 'Renamed' }));
  await it.follow();
  const rebuilt = memoryViews();
  for (const event of await it.log()) {
    const recorded = it.registry.decode(event);
    const { epoch, position, id: eventId } = event;
    rebuilt.apply({ epoch, position, eventId }, (view) => {
      for (const { handlers } of accountsService.projections)
        if (recorded !== undefined) handlers.get(recorded.type)?.(recorded, view);
    });
  }
  expect(rebuilt.dump()).toEqual(it.views.dump());
});
