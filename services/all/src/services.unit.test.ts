// What holds of the services only together.
import { auditService } from '@bivouac/audit';
import { eventsOf } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';

import { allServices } from './services.ts';

test('the trail misses no event of any service', () => {
  const others = allServices.filter((service) => service !== auditService);
  const handled = new Set(auditService.projections.flatMap((p) => [...p.handlers.keys()]));
  const types = [...eventsOf(others)].map(({ type }) => type);
  expect(types.length).toBeGreaterThan(50);
  expect(types.filter((type) => !handled.has(type))).toEqual([]);
});
