/** A package as the solver sees it: installed, or on offer; with what is known of its dependencies. */
import type { Package } from '@bivouac/events/packages';

import { type Capability, meets, parseCapability } from '../capability.ts';
import { compareEvr, type Evr, evrText, parseEvr } from '../evr.ts';
import { nevra } from '../package-list.ts';
import type { RepositoryPackage } from '../repository-package.ts';

/**
 * How much is known of an installed package, since inventories tell names and versions alone. `exact`:
 * a repository has this very package. `presumed`: it has another version, taken to provide the like.
 * `opaque`: no repository has any of that name; it may provide anything.
 */
export type Knowledge = 'exact' | 'presumed' | 'opaque';

export interface Solvable {
  readonly package: Package;
  /** Its NEVRA: what tells it apart. */
  readonly key: string;
  readonly evr: Evr;
  readonly knowledge: Knowledge;
  /** Where its file is; undefined of what only is installed. */
  readonly offer: RepositoryPackage | undefined;
  readonly provides: readonly Capability[];
  readonly requires: readonly Capability[];
  readonly conflicts: readonly Capability[];
  readonly obsoletes: readonly Capability[];
  readonly files: readonly string[];
}

/** A package that a repository offers. */
export function offered(offer: RepositoryPackage): Solvable {
  return { ...bare(offer), knowledge: 'exact', offer, ...dependenciesOf(offer) };
}

/** An installed package, by what repositories have of its name. */
export function installed(one: Package, ofName: readonly Solvable[]): Solvable {
  const self = bare(one);
  const same = ofName.find(({ key }) => key === self.key);
  if (same?.offer !== undefined)
    return { ...self, knowledge: 'exact', offer: undefined, ...dependenciesOf(same.offer) };
  const likeness = nearest(self, ofName);
  const itself: Capability = { name: one.name, range: { sense: '=', evr: self.evr } };
  const provides =
    likeness === undefined
      ? [itself]
      : [itself, ...likeness.provides.map((provided) => asOf(self, likeness, provided))];
  return {
    ...self,
    knowledge: likeness === undefined ? 'opaque' : 'presumed',
    offer: undefined,
    provides,
    files: likeness?.files ?? [],
    // What it may not ask for, nothing is refused for.
    ...{ requires: [], conflicts: [], obsoletes: [] },
  };
}

/** Whether a package provides what is asked for, by a capability or by a file. */
export function providesWhat(one: Solvable, asked: Capability): boolean {
  if (one.provides.some((provided) => meets(provided, asked))) return true;
  return asked.name.startsWith('/') && one.files.includes(asked.name);
}

/** Whether an `Obsoletes` or the like names this package itself: its name and EVR, no provides. */
export function isNamedBy(one: Solvable, capability: Capability): boolean {
  return meets({ name: one.package.name, range: { sense: '=', evr: one.evr } }, capability);
}

/** Whether one stands in the place of the other: two architectures may stand side by side. */
export function isSameSlot(a: Package, b: Package): boolean {
  return a.name === b.name && (a.arch === b.arch || a.arch === 'noarch' || b.arch === 'noarch');
}

/** Negative where `a` is to be preferred: newer, then built for the machine, then by its NEVRA. */
export function newestFirst(a: Solvable, b: Solvable): number {
  return (
    compareEvr(b.evr, a.evr) ||
    Number(a.package.arch === 'noarch') - Number(b.package.arch === 'noarch') ||
    (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  );
}

function bare(one: Package) {
  const { name, epoch, version, release, arch } = one;
  const identity: Package = { name, epoch, version, release, arch };
  return { package: identity, key: nevra(one), evr: parseEvr(evrText(one)) };
}

function dependenciesOf(offer: RepositoryPackage) {
  return {
    provides: offer.provides.map(parseCapability),
    requires: offer.requires.map(parseCapability),
    conflicts: offer.conflicts.map(parseCapability),
    obsoletes: offer.obsoletes.map(parseCapability),
    files: offer.files,
  };
}

/** The offered package of the same architecture that is closest above it, else below. */
function nearest(
  self: Pick<Solvable, 'package' | 'evr'>,
  ofName: readonly Solvable[],
): Solvable | undefined {
  const same = ofName.filter((one) => isSameSlot(one.package, self.package)).sort(newestFirst);
  return same.findLast((one) => compareEvr(one.evr, self.evr) > 0) ?? same[0];
}

/** What its like provides in its own version, it is taken to provide in this one's. */
function asOf(
  self: Pick<Solvable, 'evr'>,
  likeness: Solvable,
  { name, range }: Capability,
): Capability {
  const own = range?.sense === '=' && compareEvr(range.evr, likeness.evr) === 0;
  return own ? { name, range: { sense: '=', evr: self.evr } } : { name, range };
}
