// Erasure as the service does it: who may, what is read from then on, whom a key still lets in.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PersonErased, readApiKey, rightsOf } from '@bivouac/events/accounts';
import { is, type Principal, type Right } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { KeyError, type Keys } from '@bivouac/infra/keys';
import { isTransient, type PolicyContext, timers } from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';

import {
  AccountById,
  AddMember,
  Authenticate,
  CreateApiKey,
  CreateCustomer,
  CreateProvider,
  ErasePerson,
  EraseRetained,
  Members,
  PersonById,
  PersonHistory,
  Retentions,
  SetRetention,
} from './api/index.ts';
import { customerOf, type Fixture, fixture, provider, staff } from './fixture.ts';
import { destroyKeys } from './policies/destroy-keys.ts';
import { erasedPersons } from './projections/persons.ts';
import { accountsService } from './service.ts';

const contact = { email: 'anna@example.com', name: 'Anna Example' };
const reason = 'consent-withdrawn' as const;
const page = { limit: 100 };
let it: Fixture;
let tenantId: string;

async function done<R>(
  reply: Promise<{ ok: true; result: R } | { ok: false; refusal: unknown }>,
): Promise<R> {
  const settled = await reply;
  if (!settled.ok) throw new Error(JSON.stringify(settled.refusal));
  return settled.result;
}

async function newMember(role: 'owner' | 'technician' = 'owner') {
  const input = { tenantId, homeId: tenantId, role, ...contact };
  return done(it.run(AddMember, input));
}

function wishOf({ memberId, personId }: { memberId: string; personId: string }) {
  const as = { kind: 'member' as const, memberId };
  return { personId, tenantId, homeId: tenantId, as, reason };
}

/** Somebody with these rights and no others. */
function withRights(who: Principal, ...rights: readonly Right[]): Principal {
  return { ...who, rights: new Set(rights) };
}

/** What the bus would have the policy do. */
async function react(keys: Keys = it.keys): Promise<void> {
  for (const event of await it.log()) {
    const recorded = it.registry.decode(event);
    if (recorded === undefined || !is(recorded, PersonErased)) continue;
    await destroyKeys.react(recorded, { ports: { keys } } as unknown as PolicyContext);
  }
}

beforeEach(async () => {
  it = fixture(accountsService);
  await it.run(CreateProvider, { name: 'Provider' }, provider);
  ({ tenantId } = await done(it.run(CreateCustomer, { name: 'Alpine Web', contact })));
});

describe('who is erased', () => {
  test('has no name and no address from the event on, while the key still exists', async () => {
    const anna = await newMember();
    const other = await newMember();
    await done(it.run(ErasePerson, wishOf(anna)));
    const members = await it.ask(Members, { tenantId, page });
    expect(members?.items.map(({ node }) => [node.id, node.email, node.name])).toEqual([
      [anna.memberId, null, null],
      [other.memberId, contact.email, contact.name],
    ]);
    // The key is there: nothing has reacted yet.
    const sealed = (await it.keys.seal(anna.personId, 'contact', 'x')).box;
    expect(sealed).not.toBe('');
  });

  test('as a contact has none either, and nobody else’s is touched', async () => {
    const before = await it.ask(AccountById, { tenantId });
    const personId = before?.contact?.personId ?? '';
    await done(
      it.run(ErasePerson, {
        ...{ personId, tenantId, homeId: tenantId, reason },
        as: { kind: 'contact' },
      }),
    );
    expect((await it.ask(AccountById, { tenantId }))?.contact).toEqual({
      personId,
      email: null,
      name: null,
    });
    expect(await it.ask(PersonById, { personId })).toMatchObject({
      as: { kind: 'contact' },
      erased: [{ purpose: 'contact', at: '2026-04-10T09:00:00.000Z' }],
      scheduled: [
        { purpose: 'invoice', until: '2036-04-10T09:00:00.000Z' },
        { purpose: 'audit', until: '2027-04-10T09:00:00.000Z' },
      ],
    });
  });

  test('has no keys any more once the event is reacted to, however often', async () => {
    const anna = await newMember();
    await done(it.run(ErasePerson, wishOf(anna)));
    await react();
    await react();
    await expect(it.keys.seal(anna.personId, 'contact', 'x')).rejects.toMatchObject({
      code: 'erased',
    });
    // What must be kept is.
    expect((await it.keys.seal(anna.personId, 'invoice', 'x')).box).not.toBe('');
  });

  test('has them destroyed at the next try where the first one fails, and until then is not read', async () => {
    const anna = await newMember();
    await done(it.run(ErasePerson, wishOf(anna)));
    const full: Keys = {
      ...it.keys,
      destroy: () => Promise.reject(new KeyError('unavailable', 'the disk is full')),
    };
    const failed = await react(full).catch((error: unknown) => error);
    expect(isTransient(failed)).toBe(true);
    expect((await it.ask(Members, { tenantId, page }))?.items[0]?.node.name).toBeNull();
    await react();
    await expect(it.keys.seal(anna.personId, 'contact', 'x')).rejects.toMatchObject({
      code: 'erased',
    });
  });

  test('comes in by no key, old or new', async () => {
    const anna = await newMember();
    const input = { tenantId, homeId: tenantId, memberId: anna.memberId, label: 'deploy job' };
    const { keyId, key } = await done(it.run(CreateApiKey, input));
    const args = { keyId, keyHash: readApiKey(key ?? '')?.hash ?? '' };
    expect(await it.answerTo(Authenticate, args, provider)).toMatchObject({
      personId: anna.personId,
    });
    await done(it.run(ErasePerson, wishOf(anna)));
    expect(await it.answerTo(Authenticate, args, provider)).toMatchObject({
      refusal: { code: 'KEY_REVOKED' },
    });
    expect(await it.run(CreateApiKey, input)).toMatchObject({
      refusal: { code: 'PERSON_ERASED', path: ['memberId'] },
    });
  });

  test('is not added again by the same command: whether it is a repeat nobody can say', async () => {
    const input = { tenantId, homeId: tenantId, role: 'owner' as const, ...contact };
    const anna = await done(it.run(AddMember, input, staff, 'the key'));
    // Until the key is destroyed it is the repeat it was.
    await done(it.run(ErasePerson, wishOf(anna)));
    expect(await it.run(AddMember, input, staff, 'the key')).toMatchObject({
      ok: true,
      repeated: true,
      result: anna,
    });
    await react();
    const again = await it.run(AddMember, input, staff, 'the key');
    expect(again).toMatchObject({ ok: false, refusal: { code: 'PERSON_ERASED' } });
    expect(JSON.stringify(again)).not.toContain('nna');
    // Another key is another person, even of the same name.
    expect((await done(it.run(AddMember, input, staff, 'other'))).personId).not.toBe(anna.personId);
  });
});

describe('a person is erased', () => {
  test('once: the same again, by whatever key, adds nothing', async () => {
    const anna = await newMember();
    await done(it.run(ErasePerson, wishOf(anna)));
    const { length } = await it.log();
    expect(await it.run(ErasePerson, wishOf(anna))).toMatchObject({
      ok: true,
      position: undefined,
    });
    expect(await it.log()).toHaveLength(length);
  });

  test('by themselves, by who manages the account, by staff who manage customers; by nobody else', async () => {
    const mine = customerOf(tenantId);
    const foreign = customerOf(deriveId('tenant', 'foreign'));
    const code = async (who: Principal, themselves = false): Promise<string> => {
      const anna = await newMember('technician');
      const by = themselves ? { ...who, memberId: anna.memberId } : who;
      const reply = await it.run(ErasePerson, wishOf(anna), by);
      return reply.ok ? 'done' : reply.refusal.code;
    };
    // All that the role of newMember may: a key confined to less could lie about anywhere.
    expect(await code(withRights(mine, ...rightsOf('technician', 'customer')), true)).toBe('done');
    expect(await code(withRights(mine, 'account.read'), true)).toBe('NOT_ALLOWED');
    expect(await code(withRights(mine, 'account.read', 'account.manage'))).toBe('done');
    expect(await code(withRights(staff, 'account.read', 'customers.manage'))).toBe('done');
    expect(await code(withRights(mine, 'account.read'))).toBe('NOT_ALLOWED');
    expect(await code(withRights(staff, 'account.read', 'account.manage'))).toBe('NOT_ALLOWED');
    expect(await code(withRights(foreign, 'account.read', 'account.manage'))).toBe('NOT_FOUND');
  });

  test('only of the tenant that has them', async () => {
    const anna = await newMember();
    const { tenantId: other } = await done(it.run(CreateCustomer, { name: 'Other', contact }));
    const elsewhere = { ...wishOf(anna), tenantId: other, homeId: other };
    for (const wish of [
      elsewhere,
      { ...elsewhere, as: { kind: 'contact' as const } },
      { ...wishOf(anna), as: { kind: 'contact' as const } },
      { ...wishOf(anna), personId: deriveId('person', 'nobody') },
    ]) {
      expect(await it.run(ErasePerson, wish)).toMatchObject({
        refusal: { code: 'PERSON_UNKNOWN' },
      });
    }
    // And where they are erased already, nobody else is told.
    await done(it.run(ErasePerson, wishOf(anna)));
    expect(await it.run(ErasePerson, elsewhere, customerOf(other))).toMatchObject({
      refusal: { code: 'PERSON_UNKNOWN' },
    });
  });

  test('later for what must be kept: at its time, by a timer that then is gone', async () => {
    const anna = await newMember();
    await done(it.run(ErasePerson, wishOf(anna)));
    await it.follow();
    const rows = it.views.view.range(timers, 'byDue', [], { limit: 9 }).map(({ row }) => row);
    expect(rows.map(({ due, command, input }) => [due, command, input['purpose']])).toEqual([
      ['2027-04-10T09:00:00.000Z', EraseRetained.name, 'audit'],
      ['2036-04-10T09:00:00.000Z', EraseRetained.name, 'invoice'],
    ]);
    it.clock.moveTo('2027-04-10T09:00:00.000Z');
    const input = rows[0]?.input;
    expect(
      await it.host.commandByName(EraseRetained.name, input, {
        principal: provider,
        idempotencyKey: 'timer',
      }),
    ).toMatchObject({ ok: true });
    await it.follow();
    expect(it.views.view.range(timers, 'byDue', [], { limit: 9 })).toHaveLength(1);
    expect((await it.ask(PersonById, { personId: anna.personId }))?.erased).toHaveLength(2);
    expect([...erasedPersons(it.views.view)]).toEqual([
      { person: anna.personId, purposes: ['contact', 'audit'] },
    ]);
  });

  test('and the history says when, and to auditors why; strangers learn nothing', async () => {
    const { personId, memberId } = await newMember();
    await done(it.run(ErasePerson, wishOf({ personId, memberId })));
    const history = async (who: Principal) =>
      (await it.ask(PersonHistory, { personId, page }, who))?.items.map(({ type, data }) => [
        type,
        data['reason'],
      ]);
    const types = ['accounts.PersonErased', 'accounts.ErasureScheduled'];
    expect(await history(customerOf(tenantId))).toEqual(types.map((type) => [type, undefined]));
    expect(await history({ ...staff, audience: 'auditor' })).toEqual(
      types.map((type) => [type, reason]),
    );
    const stranger = customerOf(deriveId('tenant', 'foreign'));
    expect(await history(stranger)).toBeUndefined();
    expect(await it.ask(PersonById, { personId }, stranger)).toBeNull();
  });
});

test('the command that each start gives takes nobody’s key', async () => {
  const [created] = await it.log();
  await it.keys.destroy(deriveId('person', created?.commandkey ?? ''), ['contact']);
  expect(await it.run(CreateProvider, { name: 'Provider' }, provider, 'key 1')).toMatchObject({
    ok: true,
    repeated: true,
  });
});

describe('how long the law has things kept', () => {
  const years = async () =>
    Object.fromEntries((await it.ask(Retentions, {})).map((one) => [one.purpose, one.years]));

  test('is said by the staff, in whole years, for what may have to be kept', async () => {
    expect(await years()).toEqual({ contact: 0, invoice: 10, audit: 1 });
    await done(it.run(SetRetention, { purpose: 'invoice', years: 7 }));
    expect(await years()).toEqual({ contact: 0, invoice: 7, audit: 1 });
    const { length } = await it.log();
    await done(it.run(SetRetention, { purpose: 'invoice', years: 7 }));
    expect(await it.log()).toHaveLength(length);
    const refused = [
      await it.run(SetRetention, { purpose: 'invoice', years: -1 }),
      await it.run(SetRetention, { purpose: 'invoice', years: 51 }),
      await it.run(SetRetention, { purpose: 'invoice', years: 0 }, customerOf(tenantId)),
    ];
    expect(refused).toMatchObject([
      { refusal: { code: 'INVALID_INPUT', path: ['years'] } },
      { refusal: { code: 'INVALID_INPUT', path: ['years'] } },
      { refusal: { code: 'NOT_ALLOWED' } },
    ]);
  });

  test('counts for who asks from then on, and moves nothing that is scheduled', async () => {
    const [early, late] = [await newMember(), await newMember()];
    await done(it.run(ErasePerson, wishOf(early)));
    await done(it.run(SetRetention, { purpose: 'invoice', years: 0 }));
    await done(it.run(SetRetention, { purpose: 'audit', years: 2 }));
    await done(it.run(ErasePerson, wishOf(late)));
    const audit = (year: number) => ({ purpose: 'audit', until: `${year}-04-10T09:00:00.000Z` });
    expect(await it.ask(PersonById, { personId: early.personId })).toMatchObject({
      scheduled: [{ purpose: 'invoice', until: '2036-04-10T09:00:00.000Z' }, audit(2027)],
    });
    expect(await it.ask(PersonById, { personId: late.personId })).toMatchObject({
      erased: [{ purpose: 'contact' }, { purpose: 'invoice' }],
      scheduled: [audit(2028)],
    });
  });
});

test('the read model that is made anew calls the same persons erased', async () => {
  const anna = await newMember();
  await done(it.run(ErasePerson, wishOf(anna)));
  await it.follow();
  const live = it.views.dump();
  const anew = memoryViews();
  for (const event of await it.log()) {
    const recorded = it.registry.decode(event);
    const { epoch, position, id: eventId } = event;
    anew.apply({ epoch, position, eventId }, (view) => {
      for (const { handlers } of accountsService.projections)
        if (recorded !== undefined) handlers.get(recorded.type)?.(recorded, view);
    });
  }
  expect(anew.dump()).toEqual(live);
});
