import { describe, expect, test } from '@jest/globals';
import { ApiKeyCreated, ApiKeyRevoked, MemberAdded } from '@bivouac/events/accounts';
import { deriveId } from '@bivouac/events/values';

import { apiKey, member } from '../aggregates.ts';
import { child, context, given, home, now, outcome, person, sealedOf } from '../given.ts';
import { createApiKey, revokeApiKey } from './api-key.ts';
import { addMember } from './member.ts';

const memberId = deriveId('member', 'test');
const keyId = deriveId('apiKey', 'test');
const open = { kind: 'customer', closed: false } as const;
const contact = { personId: person, email: sealedOf(person), name: sealedOf(person) };
const joining = {
  memberId,
  tenantId: home,
  homeId: home,
  role: 'owner',
  tenant: open,
  contact,
} as const;
const added = MemberAdded({ memberId, tenantId: home, homeId: home, role: 'owner', ...contact });

describe('adding a member', () => {
  test('records a pseudonym and sealed values only', () => {
    expect(outcome(addMember(given(member), joining))).toEqual([added]);
  });

  test.each([
    ['an unknown tenant', { tenant: undefined, contact: undefined }, 'TENANT_UNKNOWN'],
    ['a closed tenant', { tenant: { ...open, closed: true } }, 'TENANT_CLOSED'],
    ['staff outside the provider', { role: 'staff' }, 'ROLE_NOT_ALLOWED'],
  ] as const)('is refused: %s', (_what, change, code) => {
    expect(outcome(addMember(given(member), { ...joining, ...change }))).toMatchObject({ code });
  });

  test('the provider has staff', () => {
    const input = {
      ...joining,
      role: 'staff',
      tenant: { kind: 'provider', closed: false },
    } as const;
    expect(outcome(addMember(given(member), input))).toMatchObject([{ data: { role: 'staff' } }]);
  });

  test('is done once', () => {
    expect(outcome(addMember(given(member, added), joining))).toMatchObject({
      code: 'MEMBER_EXISTS',
    });
  });
});

describe('an API key', () => {
  const hash = 'ab'.repeat(32);
  const facts = { keyId, tenantId: home, homeId: home };
  const input = {
    ...facts,
    memberId,
    label: 'deploy job',
    hash,
    expiresAt: undefined,
    tenant: open,
    member: given(member, added).added,
    erased: false,
  };
  const made = ApiKeyCreated({
    ...facts,
    memberId,
    personId: person,
    label: 'deploy job',
    hash,
    expiresAt: null,
  });

  test('is recorded by its hash', () => {
    expect(outcome(createApiKey(given(apiKey), input, context()))).toEqual([made]);
  });

  test.each([
    ['of an unknown tenant', { tenant: undefined }, 'TENANT_UNKNOWN', 'tenantId'],
    ['of a closed tenant', { tenant: { ...open, closed: true } }, 'TENANT_CLOSED', 'tenantId'],
    ['for nobody', { member: undefined }, 'MEMBER_UNKNOWN', 'memberId'],
    [
      "for another tenant's member",
      { tenantId: child, member: given(member, added).added },
      'MEMBER_UNKNOWN',
      'memberId',
    ],
    ['for whom is erased', { erased: true }, 'PERSON_ERASED', 'memberId'],
    ['that has expired', { expiresAt: now }, 'KEY_EXPIRY_PAST', 'expiresAt'],
  ])('is refused %s', (_what, change, code, field) => {
    expect(outcome(createApiKey(given(apiKey), { ...input, ...change }, context()))).toMatchObject({
      code,
      path: [field],
    });
  });

  test('is created once', () => {
    expect(outcome(createApiKey(given(apiKey, made), input, context()))).toMatchObject({
      code: 'KEY_EXISTS',
    });
  });

  test('is revoked for ever; again changes nothing; an unknown one is refused', () => {
    const revoked = ApiKeyRevoked(facts);
    expect(outcome(revokeApiKey(given(apiKey, made)))).toEqual([revoked]);
    expect(outcome(revokeApiKey(given(apiKey, made, revoked)))).toEqual([]);
    expect(outcome(revokeApiKey(given(apiKey)))).toMatchObject({ code: 'KEY_UNKNOWN' });
  });
});
