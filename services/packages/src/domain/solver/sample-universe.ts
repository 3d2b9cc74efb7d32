/** Small worlds of packages for tests of the solver, and what makes a set of packages sound. */
import type { Package } from '@bivouac/events/packages';
import fc from 'fast-check';

import { capabilityText } from '../capability.ts';
import { compareEvr, evrText } from '../evr.ts';
import { nevra } from '../package-list.ts';
import type { RepositoryPackage } from '../repository-package.ts';
import { indexOf } from './snapshot-index.ts';
import { isNamedBy, isSameSlot, providesWhat, type Solvable } from './solvable.ts';
import { Universe } from './universe.ts';

/** A package on offer; what is left out is as for most. */
export function offer(
  name: string,
  version: string,
  more: Partial<Omit<RepositoryPackage, 'name' | 'version'>> = {},
): RepositoryPackage {
  const identity = { name, epoch: 0, version, release: '1', arch: 'x86_64', ...more };
  return {
    ...identity,
    location: `${name}-${version}.rpm`,
    checksum: 'c'.repeat(64),
    ...{ size: 1, installedSize: 1, requires: [], conflicts: [], obsoletes: [], files: [] },
    ...more,
    provides: [capabilityText(name, '=', evrText(identity)), ...(more.provides ?? [])],
  };
}

/** The package as an inventory lists it. */
export function bare({ name, epoch, version, release, arch }: Package): Package {
  return { name, epoch, version, release, arch };
}

export function universeOf(
  installed: readonly Package[],
  ...repositories: readonly (readonly RepositoryPackage[])[]
): Universe {
  return new Universe(
    installed.map(bare),
    repositories.map((packages, at) => ({
      ...{ name: `repository-${at}`, arch: 'x86_64', index: indexOf(packages) },
    })),
  );
}

const names = ['a', 'b', 'c', 'd', 'e'] as const;
const virtual = ['v', 'w'] as const;
const versions = ['1', '2', '3'] as const;

const anyName = fc.constantFrom(...names, ...virtual);
const capability = fc
  .tuple(
    anyName,
    fc.option(fc.tuple(fc.constantFrom('<', '<=', '=', '>=', '>'), fc.constantFrom(...versions)), {
      nil: undefined,
    }),
  )
  .map(([name, range]) => (range === undefined ? name : `${name} ${range[0]} ${range[1]}`));

const anyOffer = fc
  .record({
    name: fc.constantFrom(...names),
    version: fc.constantFrom(...versions),
    requires: fc.array(capability, { maxLength: 2 }),
    provides: fc.array(fc.constantFrom('v', 'w', 'v = 1', 'w = 2'), { maxLength: 1 }),
    conflicts: fc.oneof(
      { weight: 4, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(capability, { maxLength: 1 }) },
    ),
    obsoletes: fc.oneof(
      { weight: 5, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.constantFrom(...names), { maxLength: 1 }) },
    ),
    arch: fc.constantFrom('x86_64', 'x86_64', 'noarch'),
  })
  .map(({ name, version, obsoletes, ...more }) =>
    offer(name, version, { ...more, obsoletes: obsoletes.filter((one) => one !== name) }),
  );

/** What is on offer, and what of it (or of older versions that no longer are) is installed. */
export const anyWorld = fc
  .uniqueArray(anyOffer, { selector: nevra, minLength: 1, maxLength: 8 })
  .chain((offers) =>
    fc.record({
      offers: fc.constant(offers),
      installed: fc.uniqueArray(
        fc.oneof(
          fc.constantFrom(...offers).map(bare),
          fc.constantFrom(...offers).map((one): Package => ({ ...bare(one), version: '0.5' })),
        ),
        { selector: ({ name }) => name, maxLength: 4 },
      ),
    }),
  );

/** What a transaction leaves, of what was there and what comes. */
export function after(universe: Universe, coming: readonly Solvable[]): readonly Solvable[] {
  const stays = universe.installed.filter(
    (one) =>
      !coming.some(
        (other) =>
          isSameSlot(other.package, one.package) ||
          (other.package.name !== one.package.name &&
            other.obsoletes.some((capability) => isNamedBy(one, capability))),
      ),
  );
  return [...stays, ...coming];
}

/** Why a set of packages is none that rpm would have; empty where it would. */
export function faults(universe: Universe, coming: readonly Solvable[]): readonly string[] {
  const all = after(universe, coming);
  const met = (among: readonly Solvable[], asked: Solvable['requires'][number]): boolean =>
    among.some((one) => providesWhat(one, asked));
  const found: string[] = [];
  for (const one of all) {
    for (const asked of one.requires) {
      // What was broken before is not this transaction's fault.
      const before = one.offer !== undefined || met(universe.installed, asked);
      if (before && !met(all, asked)) found.push(`${one.key} misses ${asked.name}`);
    }
  }
  for (const one of coming) {
    for (const other of all) {
      if (one === other) continue;
      const pair = `${one.key} and ${other.key}`;
      const excludes = (a: Solvable, b: Solvable): boolean =>
        a.conflicts.some((capability) => providesWhat(b, capability)) ||
        (a.package.name !== b.package.name &&
          a.obsoletes.some((capability) => isNamedBy(b, capability)));
      if (excludes(one, other) || excludes(other, one)) found.push(`${pair} exclude each other`);
      if (isSameSlot(one.package, other.package)) found.push(`${pair} are in one place`);
    }
    for (const old of universe.installed) {
      if (isSameSlot(one.package, old.package) && compareEvr(one.evr, old.evr) <= 0)
        found.push(`${one.key} is not newer than ${old.key}`);
    }
  }
  return found;
}
