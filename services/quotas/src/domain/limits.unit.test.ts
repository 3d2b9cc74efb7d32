import { describe, expect, test } from '@jest/globals';
import { deriveId } from '@bivouac/events/values';
import { LimitSet, TenantOpened } from '@bivouac/events/quotas';

import { given, home, opened, outcome, reserved, vector } from '../given.ts';
import { openTenant, setLimit } from './limits.ts';

const child = deriveId('tenant', 'child');
const childOpened = TenantOpened({ tenantId: child, homeId: home, parentId: home });
const ten = vector({ containers: 10 });

describe('opening a tenant', () => {
  test('the home has no parent', () => {
    expect(outcome(openTenant(given(), { tenantId: home, homeId: home, parentId: null }))).toEqual([
      opened,
    ]);
  });

  test('one below comes after its parent', () => {
    const input = { tenantId: child, homeId: home, parentId: home };
    expect(outcome(openTenant(given(), input))).toMatchObject({ code: 'PARENT_UNKNOWN' });
    expect(outcome(openTenant(given(opened), input))).toEqual([childOpened]);
  });

  test('only the home has no parent', () => {
    const orphan = { tenantId: child, homeId: home, parentId: null };
    expect(outcome(openTenant(given(opened), orphan))).toMatchObject({ code: 'PARENT_UNKNOWN' });
    const looped = { tenantId: home, homeId: home, parentId: home };
    expect(outcome(openTenant(given(), looped))).toMatchObject({ code: 'PARENT_UNKNOWN' });
  });

  test('again changes nothing, and elsewhere is refused', () => {
    const state = given(opened, childOpened);
    const input = { tenantId: child, homeId: home, parentId: home };
    expect(outcome(openTenant(state, input))).toEqual([]);
    expect(outcome(openTenant(state, { ...input, parentId: child }))).toMatchObject({
      code: 'TENANT_PLACED_ELSEWHERE',
      details: { parentId: home },
    });
  });
});

describe('setting a limit', () => {
  const input = { tenantId: home, homeId: home, limit: ten, reason: 'Contract 1234' };

  test('records what it was before', () => {
    const first = { tenantId: home, homeId: home, limit: ten, previous: null, reason: 'x' };
    expect(outcome(setLimit(given(opened), { ...input, reason: 'x' }))).toEqual([LimitSet(first)]);
    expect(
      outcome(setLimit(given(opened, LimitSet(first)), { ...input, limit: null })),
    ).toMatchObject([{ data: { limit: null, previous: ten } }]);
  });

  test('to what it is changes nothing', () => {
    expect(outcome(setLimit(given(opened), { ...input, limit: null }))).toEqual([]);
    const set = LimitSet({ ...input, previous: null });
    expect(outcome(setLimit(given(opened, set), { ...input, reason: 'again' }))).toEqual([]);
  });

  test('below what is in use is recorded', () => {
    const state = given(opened, reserved('a', ten));
    const lower = { ...input, limit: vector({ containers: 3 }) };
    expect(outcome(setLimit(state, lower))).toMatchObject([{ data: { limit: { containers: 3 } } }]);
  });

  test('of a tenant that is not in the ledger is refused', () => {
    expect(outcome(setLimit(given(), input))).toMatchObject({
      code: 'TENANT_UNKNOWN',
      retryable: true,
      path: ['tenantId'],
    });
  });
});
