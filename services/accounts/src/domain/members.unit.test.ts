import { describe, expect, test } from '@jest/globals';
import {
  InvitationAccepted,
  InvitationWithdrawn,
  MemberAdded,
  MemberInvited,
  MemberRemoved,
  MemberRoleChanged,
  rightsOf,
  type Role,
  RoleSchema,
} from '@bivouac/events/accounts';
import type { Decided, Decision, Right } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import fc from 'fast-check';

import { members } from '../aggregates.ts';
import { context, given, home, now, outcome, person, sealedOf } from '../given.ts';
import {
  acceptInvitation,
  addMember,
  changeRole,
  invited,
  inviteMember,
  personOfMember,
  removeMember,
  withdrawInvitation,
} from './members.ts';

const [one, two] = [deriveId('member', 'one'), deriveId('member', 'two')];
const open = { kind: 'customer', closed: false } as const;
const closed = { ...open, closed: true } as const;
const of = { tenantId: home, homeId: home };
const contact = { personId: person, email: sealedOf(person), name: sealedOf(person) };
const asking = { ...of, tenant: open, held: new Set(rightsOf('owner', 'customer')) } as const;
const joining = { ...asking, memberId: one, role: 'owner', contact } as const;
const added = (memberId = one, role: Role = 'owner') =>
  MemberAdded({ ...of, memberId, role, ...contact });
const removed = (memberId = one) => MemberRemoved({ ...of, memberId });

describe('adding a member', () => {
  test('records a pseudonym and sealed values only', () => {
    expect(outcome(addMember(given(members), joining))).toEqual([added()]);
  });

  test.each([
    ['an unknown tenant', { tenant: undefined, contact: undefined }, 'TENANT_UNKNOWN'],
    ['a closed tenant', { tenant: closed }, 'TENANT_CLOSED'],
    ['staff outside the provider', { role: 'staff' }, 'ROLE_NOT_ALLOWED'],
  ] as const)('is refused: %s', (_what, change, code) => {
    expect(outcome(addMember(given(members), { ...joining, ...change }))).toMatchObject({ code });
  });

  test('the provider has staff', () => {
    const tenant = { kind: 'provider', closed: false } as const;
    const input = { ...joining, role: 'staff', tenant, held: 'all' } as const;
    expect(outcome(addMember(given(members), input))).toMatchObject([{ data: { role: 'staff' } }]);
  });

  test('again, by the command that did it, changes nothing, also when removed since', () => {
    expect(outcome(addMember(given(members, added()), joining))).toEqual([]);
    const state = given(members, added(two), added(), removed());
    expect(outcome(addMember(state, joining))).toEqual([]);
  });

  test('gives no role with a right that whoever adds does not have', () => {
    for (const role of RoleSchema.exclude(['staff']).options) {
      for (const own of RoleSchema.options) {
        const held = new Set<Right>(rightsOf(own, 'customer'));
        const missing = rightsOf(role, 'customer').filter((right) => !held.has(right));
        const decided = outcome(addMember(given(members), { ...joining, role, held }));
        if (missing.length === 0)
          expect([own, role, decided]).toEqual([own, role, [added(one, role)]]);
        else {
          expect([own, role, decided]).toMatchObject([
            own,
            role,
            { code: 'RIGHTS_NOT_HELD', path: ['role'], details: { missing } },
          ]);
        }
      }
    }
  });
});

describe('changing a role', () => {
  const change = { ...asking, memberId: one, role: 'technician' } as const;
  const changed = MemberRoleChanged({ ...of, memberId: one, role: 'technician', was: 'owner' });

  test('says what it was; the same again changes nothing', () => {
    const state = given(members, added(), added(two));
    expect(outcome(changeRole(state, change))).toEqual([changed]);
    expect(outcome(changeRole(given(members, added(), added(two), changed), change))).toEqual([]);
  });

  test('of nobody, to staff, or to more than one has, is refused', () => {
    const state = given(members, added(two), added(one, 'auditor'));
    const held = new Set<Right>(['account.manage']);
    expect(outcome(changeRole(given(members), change))).toMatchObject({ code: 'MEMBER_UNKNOWN' });
    expect(outcome(changeRole(state, { ...change, role: 'staff' }))).toMatchObject({
      code: 'ROLE_NOT_ALLOWED',
    });
    expect(outcome(changeRole(state, { ...change, role: 'owner', held }))).toMatchObject({
      code: 'RIGHTS_NOT_HELD',
    });
  });
});

describe('the last owner', () => {
  const demote = { ...asking, memberId: one, role: 'admin' } as const;

  test('is neither removed nor demoted; one of two is', () => {
    const alone = given(members, added(), added(two, 'admin'));
    const remove = { ...of, memberId: one };
    expect(outcome(removeMember(alone, remove))).toMatchObject({ code: 'LAST_OWNER' });
    expect(outcome(changeRole(alone, demote))).toMatchObject({ code: 'LAST_OWNER' });
    const both = given(members, added(), added(two));
    expect(outcome(removeMember(both, remove))).toEqual([removed()]);
    expect(outcome(changeRole(both, demote))).toHaveLength(1);
  });

  test('stays: a tenant that had an owner has one after any sequence of changes', () => {
    const ids = [0, 1, 2].map((n) => deriveId('member', `${n}`));
    const member = fc.constantFrom(...ids);
    const role = fc.constantFrom(...RoleSchema.exclude(['staff']).options);
    const step = fc.oneof(
      fc.record({ what: fc.constant('add' as const), memberId: member, role }),
      fc.record({ what: fc.constant('change' as const), memberId: member, role }),
      fc.record({ what: fc.constant('remove' as const), memberId: member, role }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const log: Decided[] = [];
        let had = false;
        for (const { what, ...wish } of steps) {
          const state = given(members, ...log);
          const decided: Decision =
            what === 'add'
              ? addMember(state, { ...asking, ...wish, contact })
              : what === 'change'
                ? changeRole(state, { ...asking, ...wish })
                : removeMember(state, { ...of, ...wish });
          if (decided.kind === 'accepted') log.push(...decided.events);
          const owners = [...given(members, ...log).members.values()].filter(
            (m) => m.role === 'owner',
          );
          had ||= owners.length > 0;
          expect(owners.length > 0).toBe(had);
        }
      }),
    );
  });
});

describe('an invitation', () => {
  const invitationId = deriveId('invitation', 'test');
  const { memberId, personId, keyId } = invited(invitationId);
  const inviting = {
    ...asking,
    ...{ invitationId, personId, email: sealedOf(personId) },
    role: 'billing',
    ...{ hash: 'ab'.repeat(32), days: 7 },
  } as const;
  const expiresAt = '2026-04-17T09:00:00.000Z';
  const sent = MemberInvited({
    ...of,
    ...{ invitationId, personId, role: 'billing', email: sealedOf(personId) },
    ...{ hash: inviting.hash, expiresAt },
  });
  const withdrawn = InvitationWithdrawn({ ...of, invitationId });
  const key = { keyId, keyHash: 'ef'.repeat(32) };
  const accepted = InvitationAccepted({ ...of, invitationId, memberId, personId, ...key });
  const accepting = {
    ...{ ...of, invitationId, memberId, tenant: open, actorId: invitationId },
    ...{ name: sealedOf(personId), key },
  };

  test('is sealed, hashed and ends', () => {
    expect(outcome(inviteMember(given(members), inviting, context()))).toEqual([sent]);
    expect(outcome(inviteMember(given(members, sent), inviting, context()))).toEqual([]);
  });

  test.each([
    ['an unknown tenant', { tenant: undefined, email: undefined }, 'TENANT_UNKNOWN'],
    ['a closed tenant', { tenant: closed }, 'TENANT_CLOSED'],
    ['as staff of a customer', { role: 'staff' }, 'ROLE_NOT_ALLOWED'],
    ['to more than one has', { held: new Set<Right>(['account.manage']) }, 'RIGHTS_NOT_HELD'],
  ] as const)('is refused to %s', (_what, change, code) => {
    const decided = inviteMember(given(members), { ...inviting, ...change }, context());
    expect(outcome(decided)).toMatchObject({ code });
  });

  test('waits with a hundred at most; those that ended do not count', () => {
    const many = (until: string) =>
      Array.from({ length: 100 }, (_, n) =>
        MemberInvited({
          ...sent.data,
          invitationId: deriveId('invitation', `${n}`),
          expiresAt: until,
        }),
      );
    expect(
      outcome(inviteMember(given(members, ...many(expiresAt)), inviting, context())),
    ).toMatchObject({ code: 'INVITATIONS_FULL' });
    expect(outcome(inviteMember(given(members, ...many(now)), inviting, context()))).toEqual([
      sent,
    ]);
  });

  test('makes the member in the role it offered, with what is sealed under their own key', () => {
    expect(outcome(acceptInvitation(given(members, sent), accepting, context()))).toEqual([
      accepted,
      MemberAdded({
        ...{ ...of, memberId, personId, role: 'billing' },
        ...{ email: sealedOf(personId), name: sealedOf(personId) },
      }),
    ]);
  });

  test('is accepted by its own token only', () => {
    const stranger = { ...accepting, actorId: deriveId('apiKey', 'owner') };
    expect(outcome(acceptInvitation(given(members, sent), stranger, context()))).toMatchObject({
      code: 'INVITATION_UNKNOWN',
    });
  });

  test('is accepted once, in its time, while nobody withdrew it and the tenant is open', () => {
    const late = { ...context(), now: expiresAt };
    for (const [state, input, at, code] of [
      [[], accepting, context(), 'INVITATION_UNKNOWN'],
      [[sent, accepted], accepting, context(), 'INVITATION_ACCEPTED'],
      [[sent, withdrawn], accepting, context(), 'INVITATION_WITHDRAWN'],
      [[sent], accepting, late, 'INVITATION_EXPIRED'],
      [[sent], { ...accepting, tenant: closed }, context(), 'TENANT_CLOSED'],
    ] as const) {
      expect(outcome(acceptInvitation(given(members, ...state), input, at))).toMatchObject({
        code,
      });
    }
  });

  test('keeps its person known, as do members also when they have left', () => {
    const state = given(members, sent, withdrawn, added(two), added(), removed());
    expect(personOfMember(state, memberId)).toBe(personId);
    expect(personOfMember(state, one)).toBe(person);
    expect(personOfMember(state, two)).toBe(person);
    expect(personOfMember(state, deriveId('member', 'nobody'))).toBeUndefined();
  });

  test('is withdrawn, again without effect; not once it made a member', () => {
    const wish = { ...of, invitationId };
    expect(outcome(withdrawInvitation(given(members, sent), wish))).toEqual([withdrawn]);
    expect(outcome(withdrawInvitation(given(members, sent, withdrawn), wish))).toEqual([]);
    expect(outcome(withdrawInvitation(given(members, sent, accepted), wish))).toMatchObject({
      code: 'INVITATION_ACCEPTED',
    });
    expect(outcome(withdrawInvitation(given(members), wish))).toMatchObject({
      code: 'INVITATION_UNKNOWN',
    });
  });
});
