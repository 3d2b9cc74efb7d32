/** What a command goes by: its contract's word, the subject its input names, or its giver's home. */
import { expect, test } from '@jest/globals';

import { routingKey } from './routing-key.ts';
import { principal } from './sample-calls.ts';

const silent = { routeFor: () => undefined };

test.each([
  ['the home, before what is in it', { tenantId: 't', homeId: 'h', containerId: 'c' }, 'h'],
  ['the account', { invoiceId: 'i', accountId: 'a' }, 'a'],
  ['the container, before its node', { nodeId: 'n', containerId: 'c' }, 'c'],
  ['the first id there is', { reason: 'x', nodeId: 'n', tokenId: 't' }, 'n'],
  ['no id that is none', { homeId: 7, accountId: null, planId: 'p' }, 'p'],
  ['the giver’s home', { name: 'x' }, principal.homeId],
  ['the giver’s home for what is no input', null, principal.homeId],
])('%s', (_name, input, key) => {
  expect(routingKey(silent, input, principal)).toBe(key);
});

test('the contract’s word goes first, if it says one', () => {
  const input = { homeId: 'h', nodeId: 'n' };
  expect(routingKey({ routeFor: () => 'reconciler' }, input, principal)).toBe('reconciler');
  expect(routingKey(silent, input, principal)).toBe('h');
});
