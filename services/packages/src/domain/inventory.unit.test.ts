import { describe, expect, it } from '@jest/globals';
import type { Decision, EventOf, Recorded } from '@bivouac/events/language';
import type { inventoryEvents, Package } from '@bivouac/events/packages';
import { deriveId } from '@bivouac/events/values';
import fc from 'fast-check';

import {
  endContainerInventory,
  evolveInventory,
  inventoryInitial,
  recordContainerInventory,
  recordImageInventory,
  recordPackageList,
  startContainerInventory,
  type InventoryState,
} from './inventory.ts';
import { applied, comparePackages, differenceOf, nevra, ordered, twice } from './package-list.ts';

const imageId = deriveId('image', 'skel');
const containerId = deriveId('container', 'web1');
const [digest, other] = ['a'.repeat(64), 'b'.repeat(64)];
const stored = { kind: 'stored', inventory: digest, count: 2 } as const;
const double = { kind: 'twice', index: 1, package: 'bash-0:5.1-1.x86_64' } as const;

const bash = (release: string): Package => ({
  ...{ name: 'bash', epoch: 0, version: '5.1', release, arch: 'x86_64' },
});

function after(...decisions: ((state: InventoryState) => Decision)[]): InventoryState {
  return decisions.reduce((state, decide) => {
    const decision = decide(state);
    if (decision.kind === 'refused') throw new Error(decision.refusal.code);
    return decision.events.reduce(
      (s, event) =>
        evolveInventory(s, event as Recorded as EventOf<(typeof inventoryEvents)[number]>),
      state,
    );
  }, inventoryInitial());
}

const code = (decision: Decision) =>
  decision.kind === 'refused' ? decision.refusal.code : undefined;
const unchanged = { kind: 'accepted', events: [] };

describe('a package list', () => {
  it('is recorded once under its digest, and has no package twice', () => {
    const [first] = [recordPackageList(inventoryInitial(), stored)];
    expect(first).toMatchObject({ events: [{ data: { inventory: digest, count: 2 } }] });
    expect(
      recordPackageList(
        after((s) => recordPackageList(s, stored)),
        stored,
      ),
    ).toEqual(unchanged);
    expect(recordPackageList(inventoryInitial(), double)).toMatchObject({
      refusal: { code: 'PACKAGE_TWICE', path: ['input', 'packages', '1'] },
    });
  });
});

describe("an image's inventory", () => {
  const record = (s: InventoryState) => recordImageInventory(s, { imageId, list: stored });

  it('never changes once recorded', () => {
    const state = after(record);
    expect(record(state)).toEqual(unchanged);
    const changed = { ...stored, inventory: other };
    expect(code(recordImageInventory(state, { imageId, list: changed }))).toBe(
      'IMAGE_INVENTORY_FIXED',
    );
  });

  it('has no package twice', () => {
    expect(code(recordImageInventory(inventoryInitial(), { imageId, list: double }))).toBe(
      'PACKAGE_TWICE',
    );
  });
});

describe("a container's inventory", () => {
  const begin = {
    ...{ containerId, tenantId: deriveId('tenant', 'customer'), base: digest },
    image: 'skel',
    observedAt: '2026-04-10T09:00:00.000Z',
  };
  const start = (s: InventoryState) => startContainerInventory(s, begin);
  const difference = { added: [bash('2')], removed: [bash('1')] };
  const observe =
    (observedAt: string, of = difference) =>
    (s: InventoryState) =>
      recordContainerInventory(s, {
        ...{ containerId, observedAt },
        observation: { kind: 'compared', base: digest, difference: of },
      });
  const later = '2026-04-11T09:00:00.000Z';

  it('begins as that of its image, once', () => {
    expect(start(inventoryInitial())).toMatchObject({
      events: [{ data: { base: digest, added: [], removed: [] } }],
    });
    expect(start(after(start, observe(later)))).toEqual(unchanged);
  });

  it('records what changed, and nothing where nothing did', () => {
    const state = after(start);
    expect(observe(later)(state)).toMatchObject({ events: [{ data: difference }] });
    expect(observe(later)(after(start, observe(later)))).toEqual(unchanged);
    expect(observe(later, { added: [], removed: [] })(state)).toEqual(unchanged);
  });

  it('is not set back by an older observation', () => {
    const state = after(start, observe(later));
    expect(observe('2026-04-10T10:00:00.000Z', { added: [], removed: [] })(state)).toEqual(
      unchanged,
    );
  });

  it('ends with the container, once, and then takes nothing up', () => {
    const end = (s: InventoryState) => endContainerInventory(s, { containerId });
    const state = after(start, end);
    expect(end(after(start))).toMatchObject({
      events: [{ type: 'packages.ContainerInventoryEnded' }],
    });
    expect(end(state)).toEqual(unchanged);
    expect(end(inventoryInitial())).toEqual(unchanged);
    expect(observe(later)(state)).toEqual(unchanged);
  });

  it('refuses what never began, a list with a package twice and a base that is not stored', () => {
    const say = (
      state: InventoryState,
      observation: Parameters<typeof recordContainerInventory>[1]['observation'],
    ) => code(recordContainerInventory(state, { containerId, observedAt: later, observation }));
    expect(code(observe(later)(inventoryInitial()))).toBe('INVENTORY_UNKNOWN');
    expect(say(after(start), double)).toBe('PACKAGE_TWICE');
    expect(say(after(start), { kind: 'base-missing', base: other })).toBe('INVENTORY_MISSING');
  });
});

describe('lists of packages', () => {
  const one = fc.record({
    name: fc.constantFrom('bash', 'glibc', 'vim'),
    epoch: fc.nat(1),
    version: fc.constantFrom('1.0', '1.00', '1.0~rc1', '2'),
    release: fc.constantFrom('1', '2'),
    arch: fc.constantFrom('x86_64', 'noarch'),
  });
  const list = fc.uniqueArray(one, { selector: nevra, maxLength: 20 });

  it('are rebuilt from their base and the difference', () => {
    fc.assert(
      fc.property(list, list, (base, packages) => {
        expect(applied(base, differenceOf(base, packages))).toEqual(ordered(packages));
      }),
    );
  });

  it('have one order, whatever order they were given in', () => {
    fc.assert(
      fc.property(
        list.chain((l) =>
          fc.tuple(fc.constant(l), fc.shuffledSubarray(l, { minLength: l.length })),
        ),
        ([a, b]) => {
          expect(ordered(a)).toEqual(ordered(b));
          expect(twice(a)).toBeUndefined();
        },
      ),
    );
    expect(comparePackages(bash('9'), bash('10'))).toBe(-1);
    expect(twice([bash('1'), bash('2'), bash('1')])).toBe(2);
  });
});
