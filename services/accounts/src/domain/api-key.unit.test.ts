import { describe, expect, test } from '@jest/globals';
import {
  ApiKeyCreated,
  ApiKeyRevoked,
  ApiKeyRotated,
  ApiKeyUsed,
  rightsOf,
} from '@bivouac/events/accounts';
import type { Right, Rights } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';

import { apiKey } from '../aggregates.ts';
import { context, given, home, now, outcome, person } from '../given.ts';
import { createApiKey, noteUse, revokeApiKey, rotateApiKey } from './api-key.ts';
import type { Member } from './members.ts';

const memberId = deriveId('member', 'test');
const other = deriveId('member', 'other');
const keyId = deriveId('apiKey', 'test');
const open = { kind: 'customer', closed: false } as const;
const hash = 'ab'.repeat(32);
const facts = { keyId, tenantId: home, homeId: home };
const holder = (role: Member['role']): Member => ({ memberId, personId: person, role });
const ownersRights: Rights = new Set(rightsOf('owner', 'customer'));
const input = {
  ...facts,
  label: 'deploy job',
  hash,
  expiresAt: undefined,
  scopes: undefined,
  tenant: open,
  member: holder('owner'),
  erased: false,
  held: ownersRights,
};
const made = ApiKeyCreated({
  ...facts,
  memberId,
  personId: person,
  label: 'deploy job',
  hash,
  expiresAt: null,
});
const revoked = ApiKeyRevoked(facts);
const at = (time: string) => ({ ...context(), now: time });

describe('creating an API key', () => {
  test('records it by its hash', () => {
    expect(outcome(createApiKey(given(apiKey), input, context()))).toEqual([made]);
  });

  test.each([
    ['of an unknown tenant', { tenant: undefined }, 'TENANT_UNKNOWN', 'tenantId'],
    ['of a closed tenant', { tenant: { ...open, closed: true } }, 'TENANT_CLOSED', 'tenantId'],
    ['for nobody', { member: undefined }, 'MEMBER_UNKNOWN', 'memberId'],
    ['for whom is erased', { erased: true }, 'PERSON_ERASED', 'memberId'],
    ['that has expired', { expiresAt: now }, 'KEY_EXPIRY_PAST', 'expiresAt'],
    [
      'with a scope that the role does not have',
      { scopes: ['billing.read' as const], member: holder('technician') },
      'SCOPE_NOT_OF_ROLE',
      'scopes',
    ],
  ])('is refused %s', (_what, change, code, field) => {
    expect(outcome(createApiKey(given(apiKey), { ...input, ...change }, context()))).toMatchObject({
      code,
      path: [field],
    });
  });

  test('confines it to its scopes', () => {
    const scopes: Right[] = ['containers.read', 'containers.operate'];
    expect(outcome(createApiKey(given(apiKey), { ...input, scopes }, context()))).toMatchObject([
      { data: { scopes } },
    ]);
  });

  test('gives nobody more than whoever asks has', () => {
    const held = new Set<Right>(['account.read', 'account.manage', 'containers.read']);
    expect(outcome(createApiKey(given(apiKey), { ...input, held }, context()))).toMatchObject({
      code: 'RIGHTS_NOT_HELD',
      path: ['memberId'],
    });
    const wide = { ...input, held, scopes: ['containers.read', 'billing.read'] as Right[] };
    expect(outcome(createApiKey(given(apiKey), wide, context()))).toMatchObject({
      code: 'RIGHTS_NOT_HELD',
      path: ['scopes'],
      details: { missing: ['billing.read'] },
    });
    const narrow = { ...input, held, scopes: ['containers.read'] as Right[] };
    expect(outcome(createApiKey(given(apiKey), narrow, context()))).toHaveLength(1);
  });

  test('is done once', () => {
    expect(outcome(createApiKey(given(apiKey, made), input, context()))).toMatchObject({
      code: 'KEY_EXISTS',
    });
  });
});

describe('rotating a key', () => {
  const wish = { ...input, hash: 'cd'.repeat(32), overlapMinutes: 60, memberId };
  const rotated = (earlierUntil: string) =>
    ApiKeyRotated({ ...facts, hash: wish.hash, earlierUntil });

  test('lets the earlier secret open for the overlap that is stated', () => {
    expect(outcome(rotateApiKey(given(apiKey, made), wish, context()))).toEqual([
      rotated('2026-04-10T10:00:00.000Z'),
    ]);
    expect(
      outcome(rotateApiKey(given(apiKey, made), { ...wish, overlapMinutes: 0 }, context())),
    ).toEqual([rotated(now)]);
  });

  test('again, after a lost reply, keeps the end that was stated for the first', () => {
    const state = given(apiKey, made, rotated('2026-04-10T10:00:00.000Z'));
    expect(outcome(rotateApiKey(state, wish, at('2026-04-10T09:30:00.000Z')))).toEqual([
      rotated('2026-04-10T10:30:00.000Z'),
    ]);
    const twice = given(
      apiKey,
      made,
      rotated('2026-04-10T10:00:00.000Z'),
      rotated('2026-04-10T10:30:00.000Z'),
    );
    expect(twice.earlier).toEqual(['2026-04-10T10:00:00.000Z', '2026-04-10T10:30:00.000Z']);
    expect(given(apiKey, made, rotated('2026-04-10T10:00:00.000Z'), rotated(now)).earlier).toEqual(
      [],
    );
  });

  test('is bounded: some earlier secrets may open beside the present one, not any number', () => {
    const until = '2026-04-10T10:00:00.000Z';
    const often = given(apiKey, made, ...Array.from({ length: 5 }, () => rotated(until)));
    expect(outcome(rotateApiKey(often, wish, context()))).toMatchObject({
      code: 'KEY_ROTATED_OFTEN',
      retryable: true,
    });
    expect(outcome(rotateApiKey(often, { ...wish, overlapMinutes: 0 }, context()))).toHaveLength(1);
    expect(outcome(rotateApiKey(often, wish, at(until)))).toHaveLength(1);
  });

  test('is for its member, or for whoever manages the account and holds what it opens', () => {
    const technician = { ...wish, member: holder('technician'), held: new Set<Right>() };
    const own = { ...technician, held: new Set(rightsOf('technician', 'customer')) };
    const theirs = { ...technician, memberId: other };
    const state = given(apiKey, made);
    expect(outcome(rotateApiKey(state, own, context()))).toHaveLength(1);
    expect(outcome(rotateApiKey(state, { ...own, memberId: other }, context()))).toMatchObject({
      code: 'NOT_ALLOWED',
    });
    const managing = { ...theirs, held: new Set<Right>(['account.manage']) };
    expect(outcome(rotateApiKey(state, managing, context()))).toMatchObject({
      code: 'RIGHTS_NOT_HELD',
    });
    expect(outcome(rotateApiKey(state, { ...theirs, held: ownersRights }, context()))).toHaveLength(
      1,
    );
  });

  test('is refused where there is nothing to rotate', () => {
    const expiring = ApiKeyCreated({ ...made.data, expiresAt: '2026-04-10T09:30:00.000Z' });
    expect(outcome(rotateApiKey(given(apiKey), wish, context()))).toMatchObject({
      code: 'KEY_UNKNOWN',
    });
    expect(outcome(rotateApiKey(given(apiKey, made, revoked), wish, context()))).toMatchObject({
      code: 'KEY_ENDED',
    });
    expect(
      outcome(rotateApiKey(given(apiKey, expiring), wish, at('2026-04-10T09:30:00.000Z'))),
    ).toMatchObject({ code: 'KEY_ENDED' });
    expect(
      outcome(rotateApiKey(given(apiKey, made), { ...wish, member: undefined }, context())),
    ).toMatchObject({ code: 'MEMBER_UNKNOWN' });
  });
});

describe('revoking a key', () => {
  const mine = { memberId, held: new Set<Right>() };

  test('is for ever; again changes nothing; an unknown one is refused', () => {
    expect(outcome(revokeApiKey(given(apiKey, made), mine))).toEqual([revoked]);
    expect(outcome(revokeApiKey(given(apiKey, made, revoked), mine))).toEqual([]);
    expect(outcome(revokeApiKey(given(apiKey), mine))).toMatchObject({ code: 'KEY_UNKNOWN' });
  });

  test('of another member takes the right to manage the account', () => {
    const asking = { memberId: other, held: new Set<Right>(['account.read']) };
    expect(outcome(revokeApiKey(given(apiKey, made), asking))).toMatchObject({
      code: 'NOT_ALLOWED',
      details: { right: 'account.manage' },
    });
    const managing = { ...asking, held: new Set<Right>(['account.manage']) };
    expect(outcome(revokeApiKey(given(apiKey, made), managing))).toEqual([revoked]);
  });
});

describe('the use of a key', () => {
  const used = (day: string) => ApiKeyUsed({ ...facts, day });

  test('is recorded once for each day, in UTC', () => {
    expect(outcome(noteUse(given(apiKey, made), context()))).toEqual([used('2026-04-10')]);
    const state = given(apiKey, made, used('2026-04-10'));
    expect(outcome(noteUse(state, at('2026-04-10T23:59:59.999Z')))).toEqual([]);
    expect(outcome(noteUse(state, at('2026-04-11T00:00:00.000Z')))).toEqual([used('2026-04-11')]);
  });

  test('of one that opens nothing is not recorded', () => {
    expect(outcome(noteUse(given(apiKey, made, revoked), context()))).toEqual([]);
    expect(outcome(noteUse(given(apiKey), context()))).toMatchObject({ code: 'KEY_UNKNOWN' });
  });
});
