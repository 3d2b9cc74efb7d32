/** A snapshot made ready for look-ups: by name, and by what packages provide. */
import type { RepositoryPackage } from '../repository-package.ts';
import { offered, type Solvable } from './solvable.ts';

export interface SnapshotIndex {
  /** In list order. */
  readonly packages: readonly RepositoryPackage[];
  named(name: string): readonly Solvable[];
  /** Packages that have a capability or a file of that name, in whatever version. */
  providing(name: string): readonly Solvable[];
  /** Packages that say they take the place of one of that name. */
  obsoleting(name: string): readonly Solvable[];
}

export function indexOf(packages: readonly RepositoryPackage[]): SnapshotIndex {
  const byName = new Map<string, number[]>();
  const byProvided = new Map<string, number[]>();
  const byObsoleted = new Map<string, number[]>();
  for (const [at, one] of packages.entries()) {
    add(byName, one.name, at);
    for (const text of one.provides) add(byProvided, nameOf(text), at);
    for (const text of one.obsoletes) add(byObsoleted, nameOf(text), at);
    for (const file of one.files) add(byProvided, file, at);
  }
  // Capabilities of most packages are never looked at.
  const made = new Map<number, Solvable>();
  const at = (index: number): Solvable[] => {
    const known = made.get(index);
    if (known !== undefined) return [known];
    const offer = packages[index];
    if (offer === undefined) return [];
    const solvable = offered(offer);
    made.set(index, solvable);
    return [solvable];
  };
  return {
    packages,
    named: (name) => (byName.get(name) ?? []).flatMap(at),
    providing: (name) => (byProvided.get(name) ?? []).flatMap(at),
    obsoleting: (name) => (byObsoleted.get(name) ?? []).flatMap(at),
  };
}

function nameOf(capability: string): string {
  const space = capability.indexOf(' ');
  return space < 0 ? capability : capability.slice(0, space);
}

function add(map: Map<string, number[]>, key: string, at: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [at]);
  else if (known.at(-1) !== at) known.push(at);
}
