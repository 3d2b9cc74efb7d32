import { describe, expect, test } from '@jest/globals';
import { PROVIDER_ID, TenantClosed, TenantCreated, TenantRenamed } from '@bivouac/events/accounts';

import { tree } from '../aggregates.ts';
import { child, context, created, given, home, outcome, person, sealedOf } from '../given.ts';
import { closeTenant, createHome, renameTenant, treeStream } from './tree.ts';

const facts = { tenantId: home, homeId: home, kind: 'customer', parentId: PROVIDER_ID } as const;

describe('creating a home', () => {
  const contact = { personId: person, email: sealedOf(person), name: null };

  test('a customer stands directly under the provider, in a tree of its own', () => {
    const input = { kind: 'customer', name: 'Alpine Web', contact } as const;
    expect(outcome(createHome(given(tree), input, context()))).toEqual([
      TenantCreated({ ...facts, name: 'Alpine Web', contact }),
    ]);
  });

  test('the provider is its own home and has nobody above it', () => {
    const input = { kind: 'provider', name: 'Bivouac', contact: null } as const;
    expect(outcome(createHome(given(tree), input, context(treeStream(PROVIDER_ID))))).toMatchObject(
      [{ data: { tenantId: PROVIDER_ID, homeId: PROVIDER_ID, parentId: null, kind: 'provider' } }],
    );
  });

  test('there is one provider', () => {
    const input = { kind: 'provider', name: 'Another', contact: null } as const;
    expect(outcome(createHome(given(tree, created('provider')), input, context()))).toMatchObject({
      code: 'PROVIDER_EXISTS',
    });
  });

  test('a tree has one home', () => {
    const input = { kind: 'customer', name: 'Another', contact } as const;
    expect(outcome(createHome(given(tree, created('customer')), input, context()))).toMatchObject({
      code: 'TENANT_EXISTS',
    });
  });
});

describe('renaming', () => {
  test('gives another name', () => {
    const state = given(tree, created('customer'));
    expect(outcome(renameTenant(state, { tenantId: home, name: 'Alpine' }))).toEqual([
      TenantRenamed({ ...facts, name: 'Alpine' }),
    ]);
  });

  test('to its name changes nothing, also after a rename', () => {
    const renamed = TenantRenamed({ ...facts, name: 'Alpine' });
    const state = given(tree, created('customer'), renamed);
    expect(outcome(renameTenant(state, { tenantId: home, name: 'Alpine' }))).toEqual([]);
  });

  test('a tenant of another tree is refused', () => {
    expect(outcome(renameTenant(given(tree), { tenantId: home, name: 'x' }))).toMatchObject({
      code: 'TENANT_UNKNOWN',
      path: ['tenantId'],
    });
    const state = given(tree, created('customer'));
    expect(outcome(renameTenant(state, { tenantId: child, name: 'x' }))).toMatchObject({
      code: 'TENANT_UNKNOWN',
    });
  });
});

describe('closing', () => {
  const reason = 'Moved to another provider';
  const closed = TenantClosed({ ...facts, reason });

  test('is for ever', () => {
    const state = given(tree, created('customer'));
    expect(outcome(closeTenant(state, { tenantId: home, reason }))).toEqual([closed]);
  });

  test('again changes nothing', () => {
    const state = given(tree, created('customer'), closed);
    expect(outcome(closeTenant(state, { tenantId: home, reason }))).toEqual([]);
  });

  test('waits for those below', () => {
    const reseller = created('reseller');
    const below = created('customer', child);
    expect(
      outcome(closeTenant(given(tree, reseller, below), { tenantId: home, reason })),
    ).toMatchObject({ code: 'TENANT_HAS_TENANTS', details: { open: [child] } });
    const closedBelow = TenantClosed({ ...facts, tenantId: child, parentId: home, reason });
    expect(
      outcome(closeTenant(given(tree, reseller, below, closedBelow), { tenantId: home, reason })),
    ).toHaveLength(1);
  });

  test('the provider, or a tenant of another tree, is refused', () => {
    expect(
      outcome(closeTenant(given(tree, created('provider')), { tenantId: home, reason })),
    ).toMatchObject({ code: 'PROVIDER_CANNOT_BE_CLOSED' });
    expect(outcome(closeTenant(given(tree), { tenantId: home, reason }))).toMatchObject({
      code: 'TENANT_UNKNOWN',
    });
  });
});
