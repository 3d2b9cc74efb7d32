/** Documents are checked once for each text, and never fill the memory. */
import { expect, test } from '@jest/globals';

import { schema } from '../schema.ts';
import { Documents } from './documents.ts';

const make = (): Documents =>
  new Documents(schema, { maxTokens: 2000, maxDepth: 15, maxAliases: 30 });

test('the same text is checked once, whether it is accepted or refused', () => {
  const documents = make();
  for (const text of ['{ viewer { role } }', '{ nothing }', '{ viewer {']) {
    expect(documents.check(text)).toBe(documents.check(text));
  }
  expect(documents.check('{ viewer { role } }').ok).toBe(true);
  expect(documents.check('{ nothing }').ok).toBe(false);
});

test('another text is another document, however alike', () => {
  const documents = make();
  expect(documents.check('{ viewer { role } }')).not.toBe(documents.check('{viewer { role } }'));
});

test('a text that is very long is checked each time it comes', () => {
  const documents = make();
  const text = `{ viewer { role } } # ${'x'.repeat(50_000)}`;
  expect(documents.check(text).ok).toBe(true);
  expect(documents.check(text)).not.toBe(documents.check(text));
});

test('the texts that are asked for stay, those that nobody asks for go', () => {
  const documents = make();
  const texts = Array.from(
    { length: 25 },
    (_, i) => `{ viewer { role } } # ${i} ${'x'.repeat(49_000)}`,
  );
  const [kept = '', ...others] = texts;
  const first = documents.check(kept);
  const second = documents.check(others[0] ?? '');
  for (const text of others) {
    documents.check(text);
    expect(documents.check(kept)).toBe(first);
  }
  expect(documents.check(others[0] ?? '')).not.toBe(second);
});
