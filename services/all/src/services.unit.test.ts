// What holds of the services only together.
import { auditService, streamKinds } from '@bivouac/audit';
import { parkingServices } from '@bivouac/events/audit';
import { servicePorts } from '@bivouac/infra/process';
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
  // hour by the tree. What was ordered about parked homes is found by the service.
  const others = new Set(['answer', 'usage', 'parking']);
  const named = [...new Set(kinds)].filter((kind) => !others.has(kind));
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((kind) => !streamKinds.includes(kind))).toEqual([]);
});

test('the parked homes of every service that reacts can be seen to', () => {
  const reacting = allServices.filter((s) => s.policies.length + s.responders.length > 0);
  expect(reacting.map(({ name }) => name).sort()).toEqual([...parkingServices]);
});

test('every service has its place on a machine that runs them all', () => {
  expect(Object.keys(servicePorts).sort()).toEqual(allServices.map(({ name }) => name).sort());
  expect(new Set(Object.values(servicePorts)).size).toBe(allServices.length);
});
