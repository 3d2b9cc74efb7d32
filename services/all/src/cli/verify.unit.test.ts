// Each law of the log that a row can break is named once, at the row that breaks it.
import { PROVIDER_ID, TenantRenamed } from '@bivouac/events/accounts';
import { eventRegistry, formatPosition, type StoredEvent } from '@bivouac/events/language';
import { uuidOf } from '@bivouac/events/values';
import type { ExaminedLog } from '@bivouac/infra/event-store';
import { expect, test } from '@jest/globals';

import { verifyLog } from './verify.ts';

const registry = eventRegistry([TenantRenamed]);
const renamed = TenantRenamed({
  tenantId: PROVIDER_ID,
  homeId: PROVIDER_ID,
  kind: 'customer',
  parentId: PROVIDER_ID,
  name: 'x',
});

function eventsOf(changes: readonly Partial<StoredEvent>[]): StoredEvent[] {
  return changes.map((change, i) => ({
    ...{ stream: 'tree-1', revision: BigInt(i), position: formatPosition(BigInt(i + 1)) },
    ...{ id: uuidOf(`${i}`), type: renamed.type, time: '2026-04-10T09:00:00.000Z' },
    ...{ tenantid: 't', homeid: 'h', actorid: 'a', correlationid: 'c', causationid: 'c' },
    ...{ commandkey: uuidOf('command'), inputhash: '', epoch: 'e', ...registry.encode(renamed) },
    ...change,
  }));
}

async function faultsOf(...changes: readonly Partial<StoredEvent>[]) {
  const events = eventsOf(changes);
  const log: ExaminedLog = {
    epoch: 'e',
    head: events.at(-1)?.position ?? null,
    wholeFaults: () => [],
    *rows() {
      for (const event of events) yield { position: event.position, event, faults: [] };
    },
    close: () => undefined,
  };
  const { faults, ok, faultCount } = await verifyLog({ log, registry, keys: undefined, most: 9 });
  expect([ok, faultCount]).toEqual([faults.length === 0, faults.length]);
  return faults.map(({ position, what }) => `${Number(position)}: ${what}`);
}

const spaced = new TextEncoder().encode(JSON.stringify(renamed.data, null, 1));

test.each([
  [
    'a gap of revisions',
    [{}, { revision: 2n }, { revision: 3n }],
    /^2: revision 2 .* where 1 must/,
  ],
  ['a time that runs backwards', [{}, { time: '2026-04-10T08:59:59.999Z' }], /^2: .* is before/],
  ['another home', [{}, { homeid: 'other' }], /^2: .*changes its tenant or home/],
  ['another tenant', [{}, { tenantid: 'other' }], /^2: .*changes its tenant or home/],
  ['an id of another stream', [{}, { id: uuidOf('0'), stream: 'b', revision: 0n }], /^2: its id/],
  ['an id again too soon', [{}, { id: uuidOf('0') }], /^2: its id .* earlier event in tree-1/],
  ['an unknown type', [{ type: 'a.Gone' }], /^1: its type a.Gone is not known/],
  ['a version that is not known', [{ schemaver: 9 }], /^1: .*has version 9/],
  ['a body that is not canonical', [{ data: spaced }], /^1: .*not canonical/],
  ['a body that does not fit', [{ data: new TextEncoder().encode('{}') }], /^1: .*not fit/],
  ['a body that is no JSON', [{ data: new TextEncoder().encode('{') }], /^1: .*not JSON/],
])('%s is named once, where it is', async (_what, changes, fault) => {
  const faults = await faultsOf(...changes);
  expect(faults).toEqual([expect.stringMatching(fault)]);
});

test('a command given again after it was forgotten is no fault, nor is anything that is sound', async () => {
  const later = { id: uuidOf('0'), time: '2026-04-17T09:00:00.000Z' };
  expect(await faultsOf({}, later)).toEqual([]);
  expect(await faultsOf()).toEqual([]);
  expect(await faultsOf({}, {}, { stream: 'tree-2', revision: 0n })).toEqual([]);
});
