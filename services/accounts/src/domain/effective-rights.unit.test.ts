/** Laws of what a key opens, over every role, kind of tenant and set of scopes. */
import { expect, test } from '@jest/globals';
import { rightsOf, RoleSchema, TenantKindSchema } from '@bivouac/events/accounts';
import { RightSchema } from '@bivouac/events/language';
import fc from 'fast-check';

import { actingRights, effectiveRights } from './effective-rights.ts';

const role = fc.constantFrom(...RoleSchema.options);
const kind = fc.constantFrom(...TenantKindSchema.options);
const scopes = fc.option(fc.uniqueArray(fc.constantFrom(...RightSchema.options)), { nil: null });

test('it is the rights of the role, as far as the scopes go, and nothing else', () => {
  fc.assert(
    fc.property(role, kind, scopes, (of, where, confined) => {
      const all = rightsOf(of, where);
      const opened = effectiveRights(of, { kind: where, closed: false }, confined);
      expect(opened).toEqual(all.filter((right) => confined === null || confined.includes(right)));
    }),
  );
});

test('in a closed tenant nothing is opened that changes anything, and nothing new', () => {
  fc.assert(
    fc.property(role, kind, scopes, (of, where, confined) => {
      const open = effectiveRights(of, { kind: where, closed: false }, confined);
      const closed = effectiveRights(of, { kind: where, closed: true }, confined);
      expect(open).toEqual(expect.arrayContaining(closed));
      for (const right of closed) expect(right).toMatch(/\.read$/);
    }),
  );
});

test('who acts for a tenant has no right beyond its owner’s, and never that to manage the account', () => {
  const below = fc.constantFrom(...TenantKindSchema.exclude(['provider']).options);
  fc.assert(
    fc.property(below, fc.boolean(), scopes, (where, closed, confined) => {
      const place = { kind: where, closed };
      const opened = actingRights(place, confined);
      expect(opened).not.toContain('account.manage');
      expect(effectiveRights('owner', place, confined)).toEqual(expect.arrayContaining(opened));
    }),
  );
});
