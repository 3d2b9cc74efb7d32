/** What the gateway says of people, beside what must be so: each difference is found and named. */
import { expect, test } from '@jest/globals';

import { type AskedPeople, peopleViolations } from './asked-people.ts';
import { personOf } from './people.ts';

const given = personOf('Helper 1');
const nobody = { name: null, email: null };
const sound: AskedPeople = {
  persons: [
    { who: 'here', erased: false, given, shown: given },
    { who: 'erased', erased: true, given, shown: nobody },
  ],
  secrets: [
    { whose: 'one', may: ['account.read', 'billing.read'], does: ['BILLING_READ', 'ACCOUNT_READ'] },
    { whose: 'nobody', may: undefined, does: undefined },
  ],
  reaches: [{ whose: 'a reseller', below: ['a', 'b'], listed: ['b', 'a'] }],
};

function found(change: Partial<AskedPeople>): string[] {
  return Object.values(peopleViolations({ ...sound, ...change })).flat();
}

test('people who are shown, let in and listed as they must be are right', () => {
  expect(found({})).toEqual([]);
});

test.each<readonly [string, Partial<AskedPeople>, string]>([
  ['nobody at all', { persons: [] }, 'nobody was asked for'],
  [
    'an erased one by name',
    { persons: [{ who: 'x', erased: true, given, shown: { ...nobody, name: given.name } }] },
    'x is shown by name, and is erased',
  ],
  [
    'an erased one’s address',
    { persons: [{ who: 'x', erased: true, given, shown: { ...nobody, email: given.email } }] },
    'and is erased',
  ],
  [
    'one who is there as erased',
    { persons: [{ who: 'x', erased: false, given, shown: nobody }] },
    'x is shown erased, and is not erased',
  ],
  [
    'one who is there not at all',
    { persons: [{ who: 'x', erased: false, given, shown: undefined }] },
    'x is shown not at all',
  ],
  [
    'a key that opens too little',
    { secrets: [{ whose: 'x', may: ['account.read'], does: [] }] },
    'a key of x opens , not account_read',
  ],
  [
    'a key that lets nobody in',
    { secrets: [{ whose: 'x', may: ['account.read'], does: undefined }] },
    'opens nothing',
  ],
  [
    'a key of who is gone',
    { secrets: [{ whose: 'x', may: undefined, does: ['ACCOUNT_READ'] }] },
    'opens account_read, not nothing',
  ],
  [
    'an account beside it',
    { reaches: [{ whose: 'x', below: ['a'], listed: ['a', 'b'] }] },
    'x reaches a, b, not a',
  ],
])('%s is found', (_what, change, words) => {
  expect(found(change)).toEqual([expect.stringContaining(words)]);
});
