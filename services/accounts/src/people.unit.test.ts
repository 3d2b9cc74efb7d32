/** People of tenants through the real host: trees of tenants, races, keys, invitations, acting. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  InvitationAccepted,
  PROVIDER_ID,
  readApiKey,
  readInvitation,
  readingRights,
  rightsOf,
  type Role,
} from '@bivouac/events/accounts';
import type { CommandReply, Principal, Right } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import type { PolicyContext } from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

import {
  AcceptInvitation,
  AccountById,
  Accounts,
  Actings,
  AddMember,
  ApiKeys,
  Authenticate,
  AuthenticateInvitation,
  ChangeMemberRole,
  CloseTenant,
  CreateApiKey,
  CreateCustomer,
  CreateProvider,
  CreateTenant,
  EndActing,
  Invitations,
  InviteMember,
  Members,
  NoteApiKeyUse,
  PlaceTenantHold,
  RemoveMember,
  RenameTenant,
  RotateApiKey,
  StartActing,
  WithdrawInvitation,
} from './api/index.ts';
import { type Fixture, fixture, provider, staff } from './fixture.ts';
import { firstKeys } from './policies/first-keys.ts';
import { accountsService } from './service.ts';

const contact = { email: 'anna@example.com', name: 'Anna Example' };
const page = { limit: 100 };
let it: Fixture;

type Authenticated = z.output<typeof Authenticate.result>;

async function done<R>(reply: Promise<CommandReply<R>>): Promise<R> {
  const settled = await reply;
  if (!settled.ok) throw new Error(JSON.stringify(settled.refusal));
  return settled.result;
}

const codeOf = async (reply: Promise<CommandReply<unknown>>) => {
  const settled = await reply;
  return settled.ok ? 'done' : settled.refusal.code;
};

async function home(kind: 'reseller' | 'customer' = 'customer'): Promise<string> {
  return (await done(it.run(CreateCustomer, { name: 'Home', contact, kind }))).tenantId;
}

async function below(
  parentId: string,
  homeId: string,
  kind: 'customer' | 'sub-account',
  by: Principal = staff,
): Promise<string> {
  const input = { parentId, homeId, kind, name: 'Below', contact };
  return (await done(it.run(CreateTenant, input, by))).tenantId;
}

async function memberOf(tenantId: string, role: Role = 'owner', homeId = tenantId) {
  return (await done(it.run(AddMember, { tenantId, homeId, role, ...contact }, provider))).memberId;
}

interface KeyOf {
  readonly keyId: string;
  readonly text: string;
}

async function keyOf(
  memberId: string,
  tenantId: string,
  more: { readonly homeId?: string; readonly scopes?: Right[] } = {},
): Promise<KeyOf> {
  const input = { tenantId, homeId: tenantId, memberId, label: 'test', ...more };
  const { keyId, key } = await done(it.run(CreateApiKey, input, provider));
  return { keyId, text: key ?? '' };
}

async function presented(text: string, actingId?: string): Promise<unknown> {
  const { keyId = '', hash: keyHash = '' } = readApiKey(text) ?? {};
  return it.answerTo(
    Authenticate,
    { keyId, keyHash, ...(actingId === undefined ? {} : { actingId }) },
    provider,
  );
}

/** The principal that the gateway makes of what accounts say about a secret. */
function principalOf(answer: unknown): Principal {
  const { keyId, memberId, tenantId, homeId, reach, rights, audience }: Authenticated =
    Authenticate.result.parse(answer);
  return {
    ...{ id: keyId, kind: 'key', tenantId, homeId, audience },
    ...(keyId.startsWith('key_') ? { memberId } : {}),
    reach: reach === 'all' ? 'all' : new Set(reach),
    rights: new Set(rights),
  };
}

async function personOf(tenantId: string, role: Role = 'owner', homeId = tenantId) {
  const memberId = await memberOf(tenantId, role, homeId);
  const key = await keyOf(memberId, tenantId, { homeId });
  return { memberId, ...key, principal: principalOf(await presented(key.text)) };
}

beforeEach(async () => {
  it = fixture(accountsService);
  await done(it.run(CreateProvider, { name: 'Bivouac', contact }, provider, 'provider'));
});

describe('a tree', () => {
  test('grows from above: a reseller makes customers, a customer sub-accounts, each below itself', async () => {
    const reseller = await home('reseller');
    const seller = await personOf(reseller);
    const customer = await below(reseller, reseller, 'customer', seller.principal);
    const buyer = await personOf(customer, 'owner', reseller);
    expect(buyer.principal).toMatchObject({ tenantId: customer, homeId: reseller });
    const sub = await below(customer, reseller, 'sub-account', buyer.principal);
    expect(await it.ask(AccountById, { tenantId: sub })).toMatchObject({
      ...{ homeId: reseller, parentId: customer, kind: 'sub-account' },
    });
    expect(principalOf(await presented(seller.text)).reach).toEqual(
      new Set([reseller, customer, sub]),
    );
    const make = (parentId: string, kind: 'customer' | 'sub-account', by: Principal) =>
      codeOf(it.run(CreateTenant, { parentId, homeId: reseller, kind, name: 'x', contact }, by));
    // Not above, not beside, not of another kind, not without the right.
    expect(await make(reseller, 'customer', buyer.principal)).toBe('TENANT_UNKNOWN');
    expect(await make(reseller, 'sub-account', seller.principal)).toBe('TENANT_KIND_NOT_ALLOWED');
    const technician = await personOf(reseller, 'technician');
    expect(await make(reseller, 'customer', technician.principal)).toBe('NOT_ALLOWED');
    const other = await personOf(await home('reseller'));
    expect(await make(reseller, 'customer', other.principal)).toBe('TENANT_UNKNOWN');
  });

  test('lets each rename what it reaches, also where the stream is a tenant’s above', async () => {
    const reseller = await home('reseller');
    const customer = await below(reseller, reseller, 'customer');
    const beside = await below(reseller, reseller, 'customer');
    const { principal } = await personOf(customer, 'owner', reseller);
    const rename = (tenantId: string) =>
      codeOf(it.run(RenameTenant, { tenantId, homeId: reseller, name: 'Mine' }, principal));
    expect(await rename(customer)).toBe('done');
    expect(await rename(beside)).toBe('TENANT_UNKNOWN');
    expect(await rename(reseller)).toBe('TENANT_UNKNOWN');
  });

  test('is closed from above, and not by those who are in it', async () => {
    const reseller = await home('reseller');
    const customer = await below(reseller, reseller, 'customer');
    const seller = await personOf(reseller);
    const buyer = await personOf(customer, 'owner', reseller);
    const close = (by: Principal) =>
      codeOf(it.run(CloseTenant, { tenantId: customer, homeId: reseller, reason: 'x' }, by));
    expect(await close(buyer.principal)).toBe('NOT_BELOW_YOU');
    expect(await close(seller.principal)).toBe('done');
  });

  test('is listed by kind, parent, closed and held, page by page', async () => {
    const reseller = await home('reseller');
    const seller = await personOf(reseller);
    const customers: string[] = [];
    for (let n = 0; n < 3; n++) customers.push(await below(reseller, reseller, 'customer'));
    const [first = '', second = '', third = ''] = customers;
    const sub = await below(first, reseller, 'sub-account');
    const direct = await home();
    await done(
      it.run(PlaceTenantHold, {
        ...{ tenantId: first, homeId: reseller, kind: 'abuse', reason: 'x' },
      }),
    );
    await done(it.run(CloseTenant, { tenantId: third, homeId: reseller, reason: 'x' }));
    for (const by of [staff, principalOf(await presented(seller.text))]) {
      const all = by === staff;
      const list = async (filter: z.input<typeof Accounts.input>['filter']) =>
        (await it.ask(Accounts, { page, filter }, by)).items.map((item) => item.node.id);
      expect(await list({ kind: 'customer' })).toEqual([...customers, ...(all ? [direct] : [])]);
      expect(await list({ parentId: reseller })).toEqual(customers);
      expect(await list({ parentId: first })).toEqual([sub]);
      expect(await list({ parentId: PROVIDER_ID })).toEqual(all ? [reseller, direct] : [reseller]);
      expect(await list({ held: true })).toEqual([first, sub]);
      expect(await list({ closed: true })).toEqual([third]);
      expect(await list({ parentId: reseller, held: false, closed: false })).toEqual([second]);
      const paged: string[] = [];
      let after: string | undefined;
      do {
        const args = { limit: 1, ...(after === undefined ? {} : { after }) };
        const { items, hasNext } = await it.ask(
          Accounts,
          { page: args, filter: { parentId: reseller } },
          by,
        );
        paged.push(...items.map((item) => item.node.id));
        after = hasNext ? items[0]?.cursor : undefined;
      } while (after !== undefined);
      expect(paged).toEqual(customers);
    }
  });
});

describe('the last owner', () => {
  test('stays where two owners remove each other at once, by two processes', async () => {
    for (let round = 0; round < 10; round++) {
      const tenantId = await home();
      const where = { tenantId, homeId: tenantId };
      const [one, two] = [await memberOf(tenantId), await memberOf(tenantId)];
      const other = it.anotherHost();
      const both = await Promise.all([
        codeOf(it.run(RemoveMember, { ...where, memberId: one })),
        codeOf(
          other.command(
            ChangeMemberRole,
            { ...where, memberId: two, role: 'admin' },
            { principal: staff, idempotencyKey: `other ${round}` },
          ),
        ),
      ]);
      expect(both.sort()).toEqual(['LAST_OWNER', 'done']);
      const { items = [] } = (await it.ask(Members, { tenantId, page })) ?? {};
      expect(items.filter(({ node }) => node.role === 'owner')).toHaveLength(1);
    }
  });
});

describe('a member', () => {
  test('who is removed is listed no more, and no key of theirs opens anything', async () => {
    const tenantId = await home();
    await memberOf(tenantId);
    const { memberId, text } = await personOf(tenantId, 'technician');
    const where = { tenantId, homeId: tenantId, memberId };
    await done(it.run(RemoveMember, where));
    expect(await presented(text)).toMatchObject({ refusal: { code: 'KEY_REVOKED' } });
    const { items = [] } = (await it.ask(Members, { tenantId, page })) ?? {};
    expect(items.map(({ node }) => node.id)).not.toContain(memberId);
    expect(await codeOf(it.run(CreateApiKey, { ...where, label: 'x' }))).toBe('MEMBER_UNKNOWN');
  });

  test('whose role changes may what the new one may, with the keys they have', async () => {
    const tenantId = await home();
    const { memberId, text } = await personOf(tenantId, 'member');
    const change = { tenantId, homeId: tenantId, memberId, role: 'billing' as const };
    await done(it.run(ChangeMemberRole, change));
    expect(await presented(text)).toMatchObject({
      role: 'billing',
      rights: rightsOf('billing', 'customer'),
    });
  });

  test('gives nobody what its own key does not have', async () => {
    const tenantId = await home();
    const owner = await memberOf(tenantId);
    const scopes: Right[] = ['account.read', 'account.manage'];
    const key = await keyOf(owner, tenantId, { scopes });
    const confined = principalOf(await presented(key.text));
    const where = { tenantId, homeId: tenantId };
    const add = (role: Role) => codeOf(it.run(AddMember, { ...where, ...contact, role }, confined));
    expect(await add('owner')).toBe('RIGHTS_NOT_HELD');
    expect(
      await codeOf(it.run(CreateApiKey, { ...where, memberId: owner, label: 'x' }, confined)),
    ).toBe('RIGHTS_NOT_HELD');
    expect(
      await codeOf(
        it.run(InviteMember, { ...where, email: contact.email, role: 'billing' }, confined),
      ),
    ).toBe('RIGHTS_NOT_HELD');
  });
});

describe('a key', () => {
  test('opens what the role may and its scopes name, and no more', async () => {
    const tenantId = await home();
    const owner = await memberOf(tenantId);
    const scopes: Right[] = ['containers.read', 'billing.manage'];
    const { text } = await keyOf(owner, tenantId, { scopes });
    expect(await presented(text)).toMatchObject({ role: 'owner', rights: scopes });
    const change = { tenantId, homeId: tenantId, memberId: owner, role: 'technician' as const };
    await memberOf(tenantId);
    await done(it.run(ChangeMemberRole, change));
    expect(await presented(text)).toMatchObject({ rights: ['containers.read'] });
    expect((await it.ask(ApiKeys, { tenantId, page }))?.items[0]?.node).toMatchObject({ scopes });
  });

  test('rotated opens by both secrets until the stated end, also where a reply was lost', async () => {
    const { keyId, text, principal } = await personOf(await home());
    const rotate = (key: string) =>
      it.run(RotateApiKey, { keyId, overlapMinutes: 60 }, principal, key);
    const lost = await done(rotate('first'));
    expect(lost.earlierUntil).toBe('2026-04-10T10:00:00.000Z');
    expect(await rotate('first')).toMatchObject({
      ...{ repeated: true, result: { key: null, earlierUntil: lost.earlierUntil } },
    });
    it.clock.moveTo('2026-04-10T09:30:00.000Z');
    const next = await done(rotate('second'));
    const opens = async (secret: string | null) => {
      const answer = await presented(secret ?? '');
      return Authenticate.result.safeParse(answer).success;
    };
    expect([await opens(text), await opens(lost.key), await opens(next.key)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(await presented(text)).toMatchObject({ expiresAt: '2026-04-10T10:00:00.000Z' });
    it.clock.moveTo('2026-04-10T10:00:00.000Z');
    expect([await opens(text), await opens(lost.key), await opens(next.key)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(await presented(text)).toMatchObject({ refusal: { code: 'KEY_EXPIRED' } });
    const last = await done(it.run(RotateApiKey, { keyId, overlapMinutes: 0 }, principal));
    expect([await opens(lost.key), await opens(next.key), await opens(last.key)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('of another tenant is not rotated, and not told from one that is not there', async () => {
    const { keyId } = await personOf(await home());
    const { principal } = await personOf(await home());
    const before = (await it.log()).length;
    for (const wish of [keyId, deriveId('apiKey', 'nothing')]) {
      expect(await codeOf(it.run(RotateApiKey, { keyId: wish }, principal))).toBe('KEY_UNKNOWN');
    }
    expect(await it.log()).toHaveLength(before);
  });

  test('says on which day it was last used, whoever says it how often', async () => {
    const tenantId = await home();
    const { keyId } = await personOf(tenantId);
    const before = (await it.log()).length;
    for (let n = 0; n < 5; n++) await done(it.run(NoteApiKeyUse, { keyId }, provider));
    expect(await it.log()).toHaveLength(before + 1);
    expect((await it.ask(ApiKeys, { tenantId, page }))?.items[0]?.node.usedOn).toBe('2026-04-10');
    expect(await codeOf(it.run(NoteApiKeyUse, { keyId }, staff))).toBe('NOT_ALLOWED');
  });

  test('of a closed tenant only reads', async () => {
    const tenantId = await home();
    const { text } = await personOf(tenantId);
    await done(it.run(CloseTenant, { tenantId, homeId: tenantId, reason: 'x' }));
    expect(Authenticate.result.parse(await presented(text)).rights).toEqual([...readingRights]);
  });
});

describe('an invitation', () => {
  async function invitation(tenantId: string) {
    const input = { tenantId, homeId: tenantId, email: contact.email, role: 'billing' as const };
    const { invitationId, token } = await done(it.run(InviteMember, input, staff, 'invite'));
    expect(await it.run(InviteMember, input, staff, 'invite')).toMatchObject({
      ...{ repeated: true, result: { invitationId, token: null } },
    });
    return { invitationId, token: token ?? '' };
  }
  const presentedToken = (token: string): Promise<unknown> => {
    const { id: invitationId = '', hash: tokenHash = '' } = readInvitation(token) ?? {};
    return it.answerTo(AuthenticateInvitation, { invitationId, tokenHash }, provider);
  };

  test('makes its bearer a member with a key, once, and lets them do nothing else', async () => {
    const tenantId = await home();
    const { invitationId, token } = await invitation(tenantId);
    const guest = principalOf(await presentedToken(token));
    const where = { tenantId, homeId: tenantId };
    expect(await codeOf(it.run(AddMember, { ...where, ...contact, role: 'owner' }, guest))).toBe(
      'NOT_ALLOWED',
    );
    const wish = { ...where, invitationId, name: 'Berta Billing' };
    const { memberId, keyId, key } = await done(it.run(AcceptInvitation, wish, guest, 'yes'));
    expect(
      await it.run(AcceptInvitation, wish, principalOf(await presentedToken(token)), 'yes'),
    ).toMatchObject({ repeated: true, result: { memberId, keyId, key: null } });
    expect(await codeOf(it.run(AcceptInvitation, wish, guest, 'again'))).toBe(
      'INVITATION_ACCEPTED',
    );

    const fact = (await it.log()).find((event) => event.type === InvitationAccepted.type);
    const recorded = fact && it.registry.decode(fact);
    if (recorded === undefined) throw new Error('nothing was accepted');
    // The policy, twice: an event may come again.
    for (let n = 0; n < 2; n++) {
      await firstKeys.react(recorded, {
        execute: (contract, input) => it.run(contract, input, provider),
      } as PolicyContext);
    }
    expect(await presented(key ?? '')).toMatchObject({ keyId, memberId, role: 'billing' });
    expect((await it.ask(Members, { tenantId, page }))?.items.at(-1)?.node).toMatchObject({
      ...{ id: memberId, email: contact.email, name: 'Berta Billing', role: 'billing' },
    });
    const text = (await it.log()).map((event) => Buffer.from(event.data).toString()).join();
    for (const secret of [token, key, contact.email, 'Berta']) expect(text).not.toContain(secret);
  });

  test('is accepted by nobody else, whatever they may', async () => {
    const tenantId = await home();
    const { invitationId } = await invitation(tenantId);
    const wish = { tenantId, homeId: tenantId, invitationId, name: 'Me' };
    const { principal } = await personOf(tenantId);
    expect(await codeOf(it.run(AcceptInvitation, wish, principal))).toBe('NOT_ALLOWED');
    expect(await codeOf(it.run(AcceptInvitation, wish, provider))).toBe('INVITATION_UNKNOWN');
    const token = await done(
      it.run(InviteMember, {
        ...{ tenantId, homeId: tenantId, email: contact.email, role: 'auditor' },
      }),
    );
    const guest = principalOf(await presentedToken(token.token ?? ''));
    expect(await codeOf(it.run(AcceptInvitation, wish, guest))).toBe('INVITATION_UNKNOWN');
  });

  test('opens nothing once it is withdrawn or its time is over', async () => {
    const tenantId = await home();
    const { invitationId, token } = await invitation(tenantId);
    const statuses = async () =>
      (await it.ask(Invitations, { tenantId, page }))?.items.map(({ node }) => node.status);
    expect(await statuses()).toEqual(['open']);
    it.clock.moveTo('2026-04-17T09:00:00.000Z');
    expect(await statuses()).toEqual(['expired']);
    expect(await presentedToken(token)).toMatchObject({ refusal: { code: 'KEY_EXPIRED' } });
    await done(it.run(WithdrawInvitation, { tenantId, homeId: tenantId, invitationId }));
    expect(await statuses()).toEqual(['withdrawn']);
    expect(await presentedToken(token)).toMatchObject({ refusal: { code: 'KEY_REVOKED' } });
  });
});

describe('acting for a tenant', () => {
  async function session() {
    const tenantId = await home('reseller');
    const beneath = await below(tenantId, tenantId, 'customer');
    const someone = await personOf(PROVIDER_ID, 'staff');
    const input = { tenantId, homeId: tenantId, reason: 'Ticket 4711', minutes: 30 };
    const { actingId } = await done(it.run(StartActing, input, someone.principal));
    return { tenantId, beneath, someone, actingId };
  }

  test('reaches that tenant and below, with an owner’s rights but for managing the account', async () => {
    const { tenantId, beneath, someone, actingId } = await session();
    const answer = await presented(someone.text, actingId);
    expect(answer).toMatchObject({
      ...{ keyId: someone.keyId, memberId: someone.memberId, acting: actingId },
      ...{ tenantId, audience: 'reseller', reach: [tenantId, beneath] },
      rights: rightsOf('owner', 'reseller').filter((right) => right !== 'account.manage'),
      expiresAt: '2026-04-10T09:30:00.000Z',
    });
    const principal = principalOf(answer);
    const other = await home();
    expect(await it.ask(AccountById, { tenantId: other }, principal)).toBeNull();
    const rename = { tenantId, homeId: tenantId, name: 'Mine' };
    expect(await codeOf(it.run(RenameTenant, rename, principal))).toBe('NOT_ALLOWED');
    // The staff's own rights are not there meanwhile.
    const hold = { tenantId, homeId: tenantId, kind: 'abuse' as const, reason: 'x' };
    expect(await codeOf(it.run(PlaceTenantHold, hold, principal))).toBe('NOT_ALLOWED');
  });

  test('is seen by the tenant: who, why, from when to when', async () => {
    const { tenantId, someone, actingId } = await session();
    const { principal } = await personOf(tenantId);
    const listed = async () =>
      (await it.ask(Actings, { tenantId, page }, principal))?.items.map(({ node }) => node);
    expect(await listed()).toMatchObject([
      {
        ...{ id: actingId, memberId: someone.memberId, reason: 'Ticket 4711' },
        ...{ startedAt: '2026-04-10T09:00:00.000Z', endsAt: '2026-04-10T09:30:00.000Z' },
      },
    ]);
    it.clock.moveTo('2026-04-10T09:10:00.000Z');
    await done(it.run(EndActing, { actingId }, principal));
    expect(await listed()).toMatchObject([{ endsAt: '2026-04-10T09:10:00.000Z' }]);
    expect(await presented(someone.text, actingId)).toMatchObject({
      refusal: { code: 'ACTING_ENDED' },
    });
  });

  test('ends by itself', async () => {
    const { someone, actingId } = await session();
    it.clock.moveTo('2026-04-10T09:30:00.000Z');
    expect(await presented(someone.text, actingId)).toMatchObject({
      refusal: { code: 'ACTING_ENDED' },
    });
    expect(await presented(someone.text)).toMatchObject({ acting: null, reach: 'all' });
  });

  test('is of the member who began it, while their role and key have the right', async () => {
    const { tenantId, someone, actingId } = await session();
    const unknown = { refusal: { code: 'ACTING_UNKNOWN' } };
    const colleague = await personOf(PROVIDER_ID, 'staff');
    expect(await presented(colleague.text, actingId)).toMatchObject(unknown);
    const owner = await personOf(tenantId);
    expect(await presented(owner.text, actingId)).toMatchObject(unknown);
    const confined = await keyOf(someone.memberId, PROVIDER_ID, { scopes: ['containers.read'] });
    expect(await presented(confined.text, actingId)).toMatchObject(unknown);
    const change = { tenantId: PROVIDER_ID, homeId: PROVIDER_ID, memberId: someone.memberId };
    await done(it.run(ChangeMemberRole, { ...change, role: 'technician' }, provider));
    expect(await presented(someone.text, actingId)).toMatchObject(unknown);
  });

  test('is for the staff to begin', async () => {
    const tenantId = await home();
    const { principal } = await personOf(tenantId);
    const input = { tenantId, homeId: tenantId, reason: 'x' };
    expect(await codeOf(it.run(StartActing, input, principal))).toBe('NOT_ALLOWED');
    expect(await codeOf(it.run(StartActing, input, staff))).toBe('NOT_ALLOWED');
  });
});

test('a rebuilt read model equals the live one, whatever people did', async () => {
  const tenantId = await home('reseller');
  const where = { tenantId, homeId: tenantId };
  await below(tenantId, tenantId, 'customer');
  const owner = await personOf(tenantId);
  const other = await personOf(tenantId, 'admin');
  const someone = await personOf(PROVIDER_ID, 'staff');
  const input = { ...where, email: contact.email, role: 'billing' as const };
  const { invitationId } = await done(it.run(InviteMember, input));
  const { actingId } = await done(
    it.run(StartActing, { ...where, reason: 'x' }, someone.principal),
  );
  await it.follow();
  const { keyId } = owner;
  await done(it.run(RotateApiKey, { keyId }, owner.principal));
  await done(it.run(NoteApiKeyUse, { keyId }, provider));
  await done(it.run(ChangeMemberRole, { ...where, memberId: other.memberId, role: 'auditor' }));
  await done(it.run(RemoveMember, { ...where, memberId: other.memberId }));
  await done(it.run(WithdrawInvitation, { ...where, invitationId }));
  await done(it.run(EndActing, { actingId }));
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
