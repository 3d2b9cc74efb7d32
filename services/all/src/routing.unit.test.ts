// Commands that come from outside to one stream come to one replica, whatever else they say.
import { NoteApiKeyUse } from '@bivouac/accounts/api';
import {
  EnrolNode,
  ReportAnswer,
  ReportInventory,
  ReportObservation,
  ReportStray,
  ReportStrayAnswer,
} from '@bivouac/containers/api';
import { routingKey } from '@bivouac/infra/calls';
import { systemPrincipal } from '@bivouac/infra/runtime';
import { RecordContainerInventory } from '@bivouac/packages/api';
import { RecordUsage } from '@bivouac/quotas/api';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { valuesOf } from './sample-values.ts';
import { allServices } from './services.ts';

const principal = systemPrincipal('system:test', 'ten_own', 'ten_own');

/** Of the internal ones those that nodes and the gateway give; the others stay in their process. */
const fromOutside = new Set(
  [
    ...[EnrolNode, ReportAnswer, ReportInventory, ReportObservation, ReportStray],
    ...[ReportStrayAnswer, RecordUsage, RecordContainerInventory, NoteApiKeyUse],
  ].map(({ name }) => name),
);

const commands = allServices
  .flatMap((service) => service.commands)
  .filter(({ contract }) => contract.access !== 'internal' || fromOutside.has(contract.name))
  .map((handler) => [handler.contract.name, handler] as const);

test('the commands from outside are found', () => {
  expect(commands.length).toBeGreaterThan(50);
  for (const name of fromOutside) expect(commands.map(([known]) => known)).toContain(name);
});

test.each(commands)('%s goes by its stream, or by the home of it', (_name, { contract, spec }) => {
  fc.assert(
    fc.property(valuesOf(contract.input), (value) => {
      const input = contract.input.safeParse(value);
      fc.pre(input.success);
      let created = false;
      const stream = spec.stream(input.data, {
        principal,
        get commandKey() {
          created = true;
          return '6a1f2f0e-9a0c-5b0c-8a5e-3d2b7c4e1f90';
        },
      });
      // A new stream has no state that some replica could have.
      if (created) return;
      const key = routingKey(contract, value, principal);
      const home: unknown =
        typeof value === 'object' && value !== null && 'homeId' in value
          ? value.homeId
          : principal.homeId;
      if (key !== home) expect(stream).toContain(key);
    }),
    { numRuns: 5, maxSkipsPerRun: 300 },
  );
});
