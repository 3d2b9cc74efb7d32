// What holds of the services only together.
import { auditService, streamKinds } from '@bivouac/audit';
import { eventsOf } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';

import { allServices } from './services.ts';

const others = allServices.filter((service) => service !== auditService);

test('the trail misses no event of any service', () => {
  const shown = new Set(auditService.events.map(({ type }) => type));
  const types = [...eventsOf(others)].map(({ type }) => type);
  expect(types.length).toBeGreaterThan(50);
  expect(types.filter((type) => !shown.has(type))).toEqual([]);
});

test('the history of an object misses no kind of stream', () => {
  const kinds = allServices.flatMap(({ commands }) => commands.map((c) => c.aggregate.category));
  // Named by more than an id: answers are found by the asks of their operation, what a tree used in an
  // hour by the tree.
  const named = [...new Set(kinds)].filter((kind) => kind !== 'answer' && kind !== 'usage');
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((kind) => !streamKinds.includes(kind))).toEqual([]);
});
