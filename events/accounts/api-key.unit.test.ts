import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { deriveId } from '../values/index.ts';
import { hashApiKey, readApiKey, writeApiKey } from './api-key.ts';

const keyId = deriveId('apiKey', 'test');
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('a key that was written is read as its id and its hash', () => {
  fc.assert(
    fc.property(secret, (bytes) => {
      const text = writeApiKey(keyId, bytes);
      expect(text).toMatch(/^bvk_[0-9a-z]{26}_[0-9A-Za-z]{49}$/);
      expect(readApiKey(text)).toEqual({ keyId, hash: hashApiKey(text) });
    }),
  );
});

test('two secrets make two keys', () => {
  fc.assert(
    fc.property(secret, secret, (a, b) => {
      const same = a.every((byte, i) => byte === b[i]);
      expect(writeApiKey(keyId, a) === writeApiKey(keyId, b)).toBe(same);
    }),
  );
});

test('one wrong character makes no key', () => {
  const text = writeApiKey(keyId, new Uint8Array(32).fill(7));
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom(...'09AZaz_-'), (at, other) => {
      fc.pre(text.charAt(at) !== other);
      expect(readApiKey(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
    }),
  );
});

test.each(['', 'bvk_', 'Bearer x', writeApiKey(keyId, new Uint8Array(32)) + ' '])(
  'what is no key is not read: %j',
  (text) => {
    expect(readApiKey(text)).toBeUndefined();
  },
);

test('a key needs 32 random bytes', () => {
  expect(() => writeApiKey(keyId, new Uint8Array(31))).toThrow(RangeError);
});
