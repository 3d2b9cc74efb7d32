import { describe, expect, test } from '@jest/globals';
import {
  MAX_TENANTS_PER_TREE,
  PROVIDER_ID,
  TenantClosed,
  TenantCreated,
  TenantKindSchema,
  TenantRenamed,
} from '@bivouac/events/accounts';
import { deriveId } from '@bivouac/events/values';

import { tree } from '../aggregates.ts';
import { child, context, created, given, home, outcome, person, sealedOf } from '../given.ts';
import { kindsBelow } from './standing.ts';
import { closeTenant, createBelow, createHome, renameTenant, treeStream } from './tree.ts';

const grandchild = deriveId('tenant', 'grandchild');
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

describe('creating below', () => {
  const contact = { personId: person, email: sealedOf(person), name: null };
  const wish = { tenantId: child, parentId: home, name: 'Below', contact } as const;
  const grown = given(tree, created('reseller'), created('customer', child));

  test('a reseller has customers, a customer sub-accounts, in the tree they are in', () => {
    const asked = { ...wish, kind: 'customer' } as const;
    expect(outcome(createBelow(given(tree, created('reseller')), asked))).toEqual([
      TenantCreated({
        ...{ tenantId: child, homeId: home, kind: 'customer', parentId: home },
        ...{ name: 'Below', contact },
      }),
    ]);
    const lower = { ...wish, tenantId: grandchild, parentId: child, kind: 'sub-account' } as const;
    expect(outcome(createBelow(grown, lower))).toMatchObject([
      { data: { homeId: home, parentId: child, kind: 'sub-account' } },
    ]);
  });

  test('every kind below every other is as the table says, and a refusal names what is allowed', () => {
    for (const above of TenantKindSchema.options) {
      for (const kind of TenantKindSchema.options) {
        const decided = outcome(createBelow(given(tree, created(above)), { ...wish, kind }));
        if (above !== 'provider' && kindsBelow[above].includes(kind)) {
          expect([above, kind, decided]).toMatchObject([above, kind, [{ data: { kind } }]]);
        } else {
          expect([above, kind, decided]).toMatchObject([
            above,
            kind,
            { code: 'TENANT_KIND_NOT_ALLOWED', details: { above, kind } },
          ]);
        }
      }
    }
  });

  test('below nobody, or below one that is closed, is refused by its field', () => {
    const asked = { ...wish, kind: 'customer' } as const;
    const gone = { ...facts, kind: 'reseller', reason: 'x' } as const;
    expect(outcome(createBelow(given(tree), asked))).toMatchObject({
      code: 'TENANT_UNKNOWN',
      path: ['parentId'],
    });
    expect(
      outcome(createBelow(given(tree, created('reseller'), TenantClosed(gone)), asked)),
    ).toMatchObject({ code: 'TENANT_CLOSED', path: ['parentId'] });
  });

  test('again, by the command that did it, changes nothing', () => {
    expect(outcome(createBelow(grown, { ...wish, kind: 'customer' }))).toEqual([]);
  });

  test('ends where a hold’s event would not fit any more', () => {
    const state = given(tree, created('reseller'));
    for (let n = 1; n < MAX_TENANTS_PER_TREE; n++) {
      const id = deriveId('tenant', `${n}`);
      const found = grown.tenants.get(child);
      if (found !== undefined) state.tenants.set(id, { ...found, id });
    }
    expect(outcome(createBelow(state, { ...wish, kind: 'customer' }))).toMatchObject({
      code: 'TREE_FULL',
      details: { limit: MAX_TENANTS_PER_TREE },
    });
  });
});

describe('closing', () => {
  const reason = 'Moved to another provider';
  const closed = TenantClosed({ ...facts, reason });

  test('is for ever', () => {
    const state = given(tree, created('customer'));
    expect(outcome(closeTenant(state, { tenantId: home, reason, askedBy: PROVIDER_ID }))).toEqual([
      closed,
    ]);
  });

  test('again changes nothing', () => {
    const state = given(tree, created('customer'), closed);
    expect(outcome(closeTenant(state, { tenantId: home, reason, askedBy: PROVIDER_ID }))).toEqual(
      [],
    );
  });

  test('waits for those below', () => {
    const reseller = created('reseller');
    const below = created('customer', child);
    expect(
      outcome(
        closeTenant(given(tree, reseller, below), { tenantId: home, reason, askedBy: PROVIDER_ID }),
      ),
    ).toMatchObject({ code: 'TENANT_HAS_TENANTS', details: { open: [child] } });
    const closedBelow = TenantClosed({ ...facts, tenantId: child, parentId: home, reason });
    expect(
      outcome(
        closeTenant(given(tree, reseller, below, closedBelow), {
          tenantId: home,
          reason,
          askedBy: PROVIDER_ID,
        }),
      ),
    ).toHaveLength(1);
  });

  test('is done from above: nobody closes themselves', () => {
    const own = { tenantId: home, reason, askedBy: home };
    expect(outcome(closeTenant(given(tree, created('customer')), own))).toMatchObject({
      code: 'NOT_BELOW_YOU',
      path: ['tenantId'],
    });
  });

  test('the provider, or a tenant of another tree, is refused', () => {
    expect(
      outcome(
        closeTenant(given(tree, created('provider')), {
          tenantId: home,
          reason,
          askedBy: PROVIDER_ID,
        }),
      ),
    ).toMatchObject({ code: 'PROVIDER_CANNOT_BE_CLOSED' });
    expect(
      outcome(closeTenant(given(tree), { tenantId: home, reason, askedBy: PROVIDER_ID })),
    ).toMatchObject({
      code: 'TENANT_UNKNOWN',
    });
  });
});
