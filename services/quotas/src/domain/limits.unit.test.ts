import { describe, expect, test } from '@jest/globals';
import { deriveId } from '@bivouac/events/values';
import { LimitExpired, LimitSet, TenantOpened } from '@bivouac/events/quotas';

import { context, given, home, later, now, opened, outcome, reserved, vector } from '../given.ts';
import { expireLimit, openTenant, setLimit } from './limits.ts';

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
  const facts = { tenantId: home, homeId: home, limit: ten, reason: 'Contract 1234' };
  const input = { ...facts, askedBy: null };

  test('records what it was before', () => {
    const first = { tenantId: home, homeId: home, limit: ten, previous: null, reason: 'x' };
    expect(outcome(setLimit(given(opened), { ...input, reason: 'x' }, context()))).toEqual([
      LimitSet(first),
    ]);
    expect(
      outcome(setLimit(given(opened, LimitSet(first)), { ...input, limit: null }, context())),
    ).toMatchObject([{ data: { limit: null, previous: ten } }]);
  });

  test('to what it is changes nothing', () => {
    expect(outcome(setLimit(given(opened), { ...input, limit: null }, context()))).toEqual([]);
    const set = LimitSet({ ...facts, previous: null });
    expect(outcome(setLimit(given(opened, set), { ...input, reason: 'again' }, context()))).toEqual(
      [],
    );
  });

  test('below what is in use is recorded', () => {
    const state = given(opened, reserved('a', ten));
    const lower = { ...input, limit: vector({ containers: 3 }) };
    expect(outcome(setLimit(state, lower, context()))).toMatchObject([
      { data: { limit: { containers: 3 } } },
    ]);
  });

  test('of a tenant that is not in the ledger is refused', () => {
    expect(outcome(setLimit(given(), input, context()))).toMatchObject({
      code: 'TENANT_UNKNOWN',
      retryable: true,
      path: ['tenantId'],
    });
  });

  test('for a time ends then, with the lasting one in force again', () => {
    const lasting = LimitSet({ ...facts, previous: null });
    const brief = { ...facts, limit: null, until: later };
    const asked = { ...brief, askedBy: null };
    const decided = outcome(setLimit(given(opened, lasting), asked, context()));
    expect(decided).toMatchObject([{ data: { limit: null, previous: ten, until: later } }]);
    const state = given(opened, lasting, LimitSet({ ...brief, previous: ten }));
    const ending = { tenantId: home, homeId: home, until: later };
    expect(outcome(expireLimit(state, ending, context()))).toMatchObject({
      code: 'LIMIT_NOT_ENDED',
    });
    expect(outcome(expireLimit(state, ending, context(later)))).toEqual([
      LimitExpired({ tenantId: home, homeId: home, limit: ten, previous: null, until: later }),
    ]);
    // Replaced meanwhile: the old timer ends nothing.
    const replaced = given(opened, lasting, LimitSet({ ...brief, previous: ten }), lasting);
    expect(outcome(expireLimit(replaced, ending, context(later)))).toEqual([]);
  });

  test('is for those above: nobody decides what binds themselves', () => {
    const state = given(opened, childOpened);
    const own = { ...input, askedBy: home };
    expect(outcome(setLimit(state, own, context()))).toMatchObject({
      code: 'NOT_BELOW_YOU',
      path: ['tenantId'],
    });
    const below = { ...own, tenantId: child };
    expect(outcome(setLimit(state, below, context()))).toMatchObject([
      { data: { tenantId: child, limit: ten } },
    ]);
    expect(outcome(setLimit(state, { ...below, askedBy: child }, context()))).toMatchObject({
      code: 'NOT_BELOW_YOU',
    });
  });

  test('for a time that is over is refused', () => {
    const past = { ...input, until: now };
    expect(outcome(setLimit(given(opened), past, context()))).toMatchObject({
      code: 'LIMIT_ENDS_IN_THE_PAST',
      path: ['until'],
    });
  });
});
