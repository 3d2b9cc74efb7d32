import { describe, expect, test } from '@jest/globals';
import {
  PROVIDER_ID,
  TenantClosed,
  TenantHoldLifted,
  TenantHoldPlaced,
} from '@bivouac/events/accounts';
import { deriveId, idFromUuid, uuidOf } from '@bivouac/events/values';

import { tree } from '../aggregates.ts';
import { child, context, created, given, home, outcome } from '../given.ts';
import { liftHold, orderRefusal, placeHold } from './holds.ts';

const facts = { tenantId: home, homeId: home, kind: 'customer', parentId: PROVIDER_ID } as const;
const resold = { ...facts, kind: 'reseller' } as const;
const below = { ...facts, tenantId: child, parentId: home } as const;
const holdId = idFromUuid('hold', context().commandKey);
const hold = { holdId, kind: 'billing', reason: 'Invoice 42 is overdue' } as const;
const input = { tenantId: home, kind: hold.kind, reason: hold.reason } as const;
const placed = TenantHoldPlaced({ ...facts, hold, reaches: [home] });
const lifted = TenantHoldLifted({ ...facts, hold, reaches: [home] });
const customer = created('customer');
const lift = { tenantId: home, holdId };

describe('placing a hold', () => {
  test('names it by its command, and says whom it reaches', () => {
    expect(outcome(placeHold(given(tree, customer), input, context()))).toEqual([placed]);
  });

  test('reaches all below, and nobody above or beside', () => {
    const state = given(
      tree,
      created('reseller'),
      created('customer', child),
      created('customer', deriveId('tenant', 'other child')),
    );
    const all = [home, child, deriveId('tenant', 'other child')];
    expect(outcome(placeHold(state, input, context()))).toMatchObject([{ data: { reaches: all } }]);
    expect(outcome(placeHold(state, { ...input, tenantId: child }, context()))).toMatchObject([
      { data: { tenantId: child, parentId: home, reaches: [child] } },
    ]);
  });

  test('keeps the id of a caller that has its own', () => {
    const own = deriveId('hold', 'dunning', '42');
    expect(
      outcome(placeHold(given(tree, customer), { ...input, holdId: own }, context())),
    ).toMatchObject([{ data: { hold: { holdId: own } } }]);
  });

  test('again changes nothing, also when it was lifted since', () => {
    expect(outcome(placeHold(given(tree, customer, placed), input, context()))).toEqual([]);
    expect(outcome(placeHold(given(tree, customer, placed, lifted), input, context()))).toEqual([]);
  });

  test('of a kind that stands already is refused; of another kind it is not', () => {
    const state = given(tree, customer, placed);
    const again = context(undefined, uuidOf('another command'));
    expect(outcome(placeHold(state, input, again))).toMatchObject({
      code: 'HOLD_EXISTS',
      details: { holdId },
    });
    expect(outcome(placeHold(state, { ...input, kind: 'abuse' }, again))).toHaveLength(1);
    const free = given(tree, customer, placed, lifted);
    expect(outcome(placeHold(free, input, again))).toHaveLength(1);
  });

  test('of a kind that stands already is placed beside it by a caller with an id of its own', () => {
    const own = { ...input, holdId: deriveId('hold', 'dunning', '43') };
    const decided = outcome(placeHold(given(tree, customer, placed), own, context()));
    expect(decided).toMatchObject([{ data: { hold: { holdId: own.holdId } } }]);
  });

  test('on the provider, or on a tenant of another tree, is refused', () => {
    expect(outcome(placeHold(given(tree, created('provider')), input, context()))).toMatchObject({
      code: 'PROVIDER_CANNOT_BE_HELD',
    });
    expect(outcome(placeHold(given(tree), input, context()))).toMatchObject({
      code: 'TENANT_UNKNOWN',
    });
  });
});

describe('lifting a hold', () => {
  test('says again whom it reaches', () => {
    expect(outcome(liftHold(given(tree, customer, placed), lift))).toEqual([lifted]);
  });

  test('again changes nothing', () => {
    expect(outcome(liftHold(given(tree, customer, placed, lifted), lift))).toEqual([]);
  });

  test('that never stood there is refused', () => {
    expect(outcome(liftHold(given(tree, customer), lift))).toMatchObject({ code: 'HOLD_UNKNOWN' });
    expect(outcome(liftHold(given(tree), lift))).toMatchObject({ code: 'TENANT_UNKNOWN' });
    const state = given(tree, created('reseller'), created('customer', child), placed);
    expect(outcome(liftHold(state, { ...lift, tenantId: child }))).toMatchObject({
      code: 'HOLD_UNKNOWN',
    });
  });
});

describe('a tenant may order', () => {
  const held = TenantHoldPlaced({ ...resold, hold, reaches: [home, child] });
  const grown = [created('reseller'), created('customer', child)];

  test('while nothing stands against it', () => {
    expect(orderRefusal(given(tree, customer), home)).toBeUndefined();
    expect(orderRefusal(given(tree, customer, placed, lifted), home)).toBeUndefined();
  });

  test('not while a hold stands on it or above it', () => {
    expect(orderRefusal(given(tree, customer, placed), home)).toMatchObject({
      code: 'TENANT_ON_HOLD',
      details: { holdId, kind: 'billing', tenantId: home },
    });
    expect(orderRefusal(given(tree, ...grown, held), child)).toMatchObject({
      code: 'TENANT_ON_HOLD',
      details: { tenantId: home },
    });
  });

  test('also while one below it is held', () => {
    const low = TenantHoldPlaced({ ...below, hold, reaches: [child] });
    expect(orderRefusal(given(tree, ...grown, low), home)).toBeUndefined();
  });

  test('not when it or one above it is closed', () => {
    const closed = TenantClosed({ ...resold, reason: 'x' });
    for (const tenant of [home, child]) {
      expect(orderRefusal(given(tree, ...grown, closed), tenant)).toMatchObject({
        code: 'TENANT_CLOSED',
        details: { tenantId: home },
      });
    }
  });

  test('not when there is no such tenant in the tree, or it is the provider', () => {
    expect(orderRefusal(given(tree), home)).toMatchObject({ code: 'TENANT_UNKNOWN' });
    expect(orderRefusal(given(tree, customer), child)).toMatchObject({ code: 'TENANT_UNKNOWN' });
    expect(orderRefusal(given(tree, created('provider')), home)).toMatchObject({
      code: 'TENANT_IS_PROVIDER',
    });
  });
});
