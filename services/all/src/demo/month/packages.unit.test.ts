/** What is shown as installed, beside what nodes have: each difference is found. */
import { expect, test } from '@jest/globals';

import { asShown, type Instance } from '../../checks/engines.ts';
import { skelPackages } from '../../seed/skel.ts';
import { packageViolations } from './packages.ts';

const ofImage = skelPackages.map(asShown);
const instance: Instance = { node: 'fake-1', containerId: 'one', state: 'running', addresses: [] };

function found(shown: readonly string[], instances: readonly Instance[]): string[] {
  return Object.values(packageViolations(new Map([['one', shown]]), instances)).flat();
}

test('one that has what it is shown with is right: its image’s, or what came of transactions', () => {
  expect(found([...ofImage].reverse(), [instance])).toEqual([]);
  expect(found(['git 1:9.1-1.el9'], [{ ...instance, packages: ['git 1:9.1-1.el9'] }])).toEqual([]);
});

test('one that has more, less, another version, or is nowhere is found', () => {
  const other = { ...instance, packages: [...ofImage, 'vim 9.1-1.el9'] };
  expect(found(ofImage, [other])).toHaveLength(1);
  expect(found([...ofImage, 'vim 9.1-1.el9'], [instance])).toHaveLength(1);
  expect(found([...ofImage, 'vim 9.2-1.el9'], [other])).toHaveLength(1);
  expect(found(ofImage, [])).toHaveLength(1);
});
