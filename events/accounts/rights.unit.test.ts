/** The table of roles: no role outside the provider has what only its staff may do. */
import { expect, test } from '@jest/globals';

import { isOfStaff, RightSchema } from '../language/index.ts';
import { RoleSchema } from './member.ts';
import { rightsOf } from './rights.ts';
import { TenantKindSchema } from './tree.ts';

const kinds = TenantKindSchema.options.filter((kind) => kind !== 'provider');

test('what is for the staff no role of a customer or reseller may', () => {
  for (const role of RoleSchema.options) {
    for (const kind of kinds) expect(rightsOf(role, kind).filter(isOfStaff)).toEqual([]);
  }
});

test('an auditor reads and changes nothing', () => {
  for (const kind of TenantKindSchema.options) {
    for (const right of rightsOf('auditor', kind)) expect(right).toMatch(/\.read$/);
  }
});

test('an owner of the provider may everything; each right is some role’s', () => {
  // What opens an invitation is no role's: its token alone has that.
  const ofRoles = RightSchema.options.filter((right) => right !== 'invitation.accept');
  expect([...rightsOf('owner', 'provider')].sort()).toEqual([...ofRoles].sort());
});

test('no role is given a right twice', () => {
  for (const role of RoleSchema.options) {
    for (const kind of TenantKindSchema.options) {
      const rights = rightsOf(role, kind);
      expect(new Set(rights).size).toBe(rights.length);
    }
  }
});
