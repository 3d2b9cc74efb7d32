/**
 * Which exact transaction does what was ordered: packages to install and to upgrade to, with all they
 * require, and packages that go. Pure and deterministic; what it cannot know is left to rpm.
 */
import { refuse } from '@bivouac/events/language';
import type { Package } from '@bivouac/events/packages';

import { parseCapability } from '../capability.ts';
import { compareEvr, evrText } from '../evr.ts';
import type { RepositoryPackage } from '../repository-package.ts';
import { type Failure, refusalOf } from './failure.ts';
import { isSameSlot, newestFirst, providesWhat, type Solvable } from './solvable.ts';
import { type Choice, extend, isFailure, missedBy, nothingChosen } from './solve.ts';
import type { Universe } from './universe.ts';

export interface Wish {
  readonly action: 'install' | 'upgrade' | 'remove';
  /** Names, NEVRAs or parts of them, or what packages provide. With `upgrade`, none means all. */
  readonly packages: readonly string[];
}

/** A package to come, from which repository. */
export interface Coming {
  readonly package: RepositoryPackage;
  readonly repository: string;
}

export interface Resolved {
  readonly kind: 'resolved';
  readonly install: readonly Coming[];
  readonly upgrade: readonly Coming[];
  readonly remove: readonly Package[];
}

type Refused = ReturnType<typeof refuse>;

/**
 * Refused: PACKAGE_UNKNOWN, PACKAGE_NOT_INSTALLED, DEPENDENCY_UNRESOLVED, PACKAGE_CONFLICT,
 * PACKAGE_REQUIRED_BY, NOTHING_TO_DO.
 */
export function resolve(universe: Universe, wish: Wish): Resolved | Refused {
  switch (wish.action) {
    case 'install':
      return install(universe, wish.packages);
    case 'upgrade':
      return wish.packages.length === 0 ? upgradeAll(universe) : upgrade(universe, wish.packages);
    case 'remove':
      return remove(universe, wish.packages);
  }
}

function install(universe: Universe, names: readonly string[]): Resolved | Refused {
  const wanted: (readonly Solvable[])[] = [];
  for (const [at, text] of names.entries()) {
    const found = meant(text, (name) => universe.offeredNamed(name));
    const asked = parseCapability(text);
    const options =
      found.length > 0
        ? found
        : universe.offeredProviding(asked.name).filter((one) => providesWhat(one, asked));
    if (options.length === 0) {
      if (meant(text, (name) => universe.installedNamed(name)).length > 0) continue;
      return packageUnknown(text, at, universe);
    }
    const best = bestOfEachName(options);
    const there = best.some((one) =>
      universe
        .installedNamed(one.package.name)
        .some((old) => isSameSlot(old.package, one.package) && compareEvr(old.evr, one.evr) >= 0),
    );
    if (!there) wanted.push(best);
  }
  return outcomeOf(universe, extend(universe, nothingChosen, wanted));
}

function upgrade(universe: Universe, names: readonly string[]): Resolved | Refused {
  const wanted: (readonly Solvable[])[] = [];
  for (const [at, text] of names.entries()) {
    const found = meant(text, (name) => universe.installedNamed(name));
    if (found.length === 0) return notInstalled(text, at);
    wanted.push(
      ...found.map((one) => successors(universe, one)).filter(({ length }) => length > 0),
    );
  }
  return outcomeOf(universe, extend(universe, nothingChosen, wanted));
}

/**
 * As much as can be: what one package's upgrade would break does not hold back the others, and what
 * has no room in one transaction is left to the next.
 */
function upgradeAll(universe: Universe): Resolved | Refused {
  let choice: Choice = nothingChosen;
  let first: Failure | undefined;
  for (const one of universe.installed) {
    const options = successors(universe, one);
    if (options.length === 0 || choice.gone.has(one)) continue;
    if (choice.chosen.size >= MOST_UPGRADES) break;
    const outcome = extend(universe, choice, [options]);
    if (isFailure(outcome)) first ??= outcome;
    else choice = outcome;
  }
  if (choice.chosen.size === 0 && first !== undefined) return refusalOf(first);
  return outcomeOf(universe, choice);
}

function remove(universe: Universe, names: readonly string[]): Resolved | Refused {
  const gone = new Set<Solvable>();
  for (const [at, text] of names.entries()) {
    const found = meant(text, (name) => universe.installedNamed(name));
    if (found.length === 0) return notInstalled(text, at);
    for (const one of found) gone.add(one);
  }
  const choice = { chosen: new Set<Solvable>(), gone };
  const requiredBy = [...new Set(missedBy(universe, choice).map(({ by }) => by.key))].sort();
  if (requiredBy.length > 0) {
    return refuse(
      'PACKAGE_REQUIRED_BY',
      `${names.join(', ')} cannot be removed: ${shown(requiredBy)} would miss it; remove that as well.`,
      { path: ['input', 'packages'], details: { requiredBy: requiredBy.slice(0, SHOWN) } },
    );
  }
  return outcomeOf(universe, choice);
}

/** A transaction is carried by events of 64 KiB: there is room for these and what they require. */
const MOST_UPGRADES = 100;

/** What takes the place of an installed package: its newest version, else what obsoletes it. */
export function successors(universe: Universe, one: Solvable): readonly Solvable[] {
  const newer = universe
    .offeredNamed(one.package.name)
    .filter((other) => isSameSlot(other.package, one.package))
    .filter((other) => compareEvr(other.evr, one.evr) > 0);
  return newer.length > 0 ? newer.slice(0, 1) : bestOfEachName(universe.offeredObsoleting(one));
}

function outcomeOf(universe: Universe, outcome: Choice | Failure): Resolved | Refused {
  if (isFailure(outcome)) return refusalOf(outcome);
  const { chosen, gone } = outcome;
  const left = [...gone].filter(
    (one) => ![...chosen].some((by) => isSameSlot(by.package, one.package)),
  );
  const coming = (of: (one: Solvable) => boolean): Coming[] =>
    [...chosen]
      .filter(of)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .flatMap((one) => {
        const repository = universe.repositoryOf(one);
        return one.offer === undefined || repository === undefined
          ? []
          : [{ package: one.offer, repository }];
      });
  const replaces = (one: Solvable): boolean =>
    [...gone].some((old) => isSameSlot(old.package, one.package));
  if (chosen.size === 0 && gone.size === 0) {
    return refuse(
      'NOTHING_TO_DO',
      'All of it is so already: what is named is installed in the newest version that the enabled repositories offer.',
      { path: ['input', 'packages'] },
    );
  }
  return {
    kind: 'resolved',
    install: coming((one) => !replaces(one)),
    upgrade: coming(replaces),
    remove: left.map((one) => one.package).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/**
 * The packages that a text means: by name, or by name with version, release, epoch and architecture,
 * as far as they are given, e.g. `vim`, `vim.x86_64`, `vim-9.1`, `vim-2:9.1-4.el9.x86_64`.
 */
export function meant(
  text: string,
  named: (name: string) => readonly Solvable[],
): readonly Solvable[] {
  const whole = named(text);
  if (whole.length > 0) return whole;
  const dot = text.lastIndexOf('.');
  const archs = dot > 0 ? [undefined, text.slice(dot + 1)] : [undefined];
  for (const arch of archs) {
    const rest = arch === undefined ? text : text.slice(0, dot);
    for (const name of prefixes(rest)) {
      const found = named(name).filter((one) => {
        if (arch !== undefined && one.package.arch !== arch) return false;
        return name === rest || isVersion(one, rest.slice(name.length + 1));
      });
      if (found.length > 0) return found;
    }
  }
  return [];
}

/** The text, and what is before its last and its last but one hyphen. */
function prefixes(text: string): string[] {
  const last = text.lastIndexOf('-');
  const before = last > 0 ? text.lastIndexOf('-', last - 1) : -1;
  return [text, ...[last, before].filter((at) => at > 0).map((at) => text.slice(0, at))];
}

function isVersion({ package: one }: Solvable, text: string): boolean {
  const { epoch, version, release } = one;
  const bare = `${version}-${release}`;
  return [version, bare, evrText(one), `${epoch}:${version}`, `${epoch}:${bare}`].includes(text);
}

function bestOfEachName(options: readonly Solvable[]): readonly Solvable[] {
  const best = new Map<string, Solvable>();
  for (const one of [...options].sort(newestFirst)) {
    if (!best.has(one.package.name)) best.set(one.package.name, one);
  }
  return [...best.values()].sort((a, b) => (a.package.name < b.package.name ? -1 : 1));
}

function packageUnknown(text: string, at: number, universe: Universe): Refused {
  const archs = [...universe.archs].sort().join(', ');
  return refuse(
    'PACKAGE_UNKNOWN',
    `No enabled repository offers ${text} for ${archs}; take a name from a repository’s packages.`,
    { path: ['input', 'packages', String(at)], details: { package: text } },
  );
}

function notInstalled(text: string, at: number): Refused {
  return refuse(
    'PACKAGE_NOT_INSTALLED',
    `${text} is not installed in the container; take a name from its packages.`,
    { path: ['input', 'packages', String(at)], details: { package: text } },
  );
}

const SHOWN = 20;

function shown(list: readonly string[]): string {
  const more = list.length - SHOWN;
  return list.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
