import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';

import { lifecycleDocument } from './lifecycle-document.ts';

test('docs/container-lifecycle.md is what the table of transitions says: run print-lifecycle.ts', () => {
  const file = new URL('../../../docs/container-lifecycle.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(lifecycleDocument());
});
