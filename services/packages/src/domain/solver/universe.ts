/**
 * All that a transaction can be made of: what is installed, and what repositories offer for it. The
 * same inputs in whatever order make the same universe.
 */
import type { Package } from '@bivouac/events/packages';

import { type Capability, isOfRpm, isRich } from '../capability.ts';
import { nevra } from '../package-list.ts';
import type { SnapshotIndex } from './snapshot-index.ts';
import { installed, isNamedBy, newestFirst, providesWhat, type Solvable } from './solvable.ts';

/** A repository in force, as far as the solver cares. */
export interface Offer {
  /** Its name: of two that offer the same package, the first by name counts. */
  readonly name: string;
  readonly arch: string;
  readonly index: SnapshotIndex;
}

export class Universe {
  readonly installed: readonly Solvable[];
  /** Installed packages that conflict with others or obsolete them: few. */
  readonly excluding: readonly Solvable[];
  /** Architectures that can be installed. */
  readonly archs: ReadonlySet<string>;
  readonly #offers: readonly Offer[];
  readonly #installedByName = new Map<string, Solvable[]>();
  readonly #installedByProvided = new Map<string, Solvable[]>();
  readonly #requirers = new Map<string, Solvable[]>();
  readonly #hasOpaque: boolean;

  constructor(packages: readonly Package[], offers: readonly Offer[]) {
    const native = new Set(packages.map(({ arch }) => arch).filter((arch) => arch !== 'noarch'));
    // An empty container says nothing of its architecture.
    this.archs = new Set([
      'noarch',
      ...(native.size > 0 ? native : offers.map(({ arch }) => arch)),
    ]);
    this.#offers = [...offers].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.installed = [...packages]
      .sort((a, b) => (nevra(a) < nevra(b) ? -1 : 1))
      .map((one) => installed(one, this.offeredNamed(one.name)));
    for (const one of this.installed) {
      add(this.#installedByName, one.package.name, one);
      for (const name of new Set([...one.provides.map((provided) => provided.name), ...one.files]))
        add(this.#installedByProvided, name, one);
      for (const name of new Set(one.requires.map((asked) => asked.name)))
        add(this.#requirers, name, one);
    }
    this.excluding = this.installed.filter(
      ({ conflicts, obsoletes }) => conflicts.length > 0 || obsoletes.length > 0,
    );
    this.#hasOpaque = this.installed.some(({ knowledge }) => knowledge === 'opaque');
  }

  installedNamed(name: string): readonly Solvable[] {
    return this.#installedByName.get(name) ?? [];
  }

  installedProviding(name: string): readonly Solvable[] {
    return this.#installedByProvided.get(name) ?? [];
  }

  /** Installed packages that ask for something of that name. */
  installedRequiring(name: string): readonly Solvable[] {
    return this.#requirers.get(name) ?? [];
  }

  /** What is on offer under a name, newest first. */
  offeredNamed(name: string): readonly Solvable[] {
    return this.#offered((index) => index.named(name));
  }

  /** What is on offer and provides something of that name, in whatever version. */
  offeredProviding(name: string): readonly Solvable[] {
    return this.#offered((index) => index.providing(name));
  }

  /** What is on offer and takes the place of an installed package under another name. */
  offeredObsoleting(one: Solvable): readonly Solvable[] {
    return this.#offered((index) => index.obsoleting(one.package.name)).filter(
      (other) =>
        other.package.name !== one.package.name &&
        other.obsoletes.some((capability) => isNamedBy(one, capability)),
    );
  }

  /** Which repository a package comes from. */
  repositoryOf(solvable: Solvable): string | undefined {
    return this.#offers.find(({ index }) =>
      index.named(solvable.package.name).some((one) => one === solvable),
    )?.name;
  }

  /**
   * Whether rpm alone can say if it is met: a boolean of several, what rpm itself provides, and what
   * nothing known provides while something unknown is installed, or may lie in a file that primary
   * metadata does not list.
   */
  isLeftToRpm(asked: Capability): boolean {
    if (isRich(asked.name) || isOfRpm(asked.name)) return true;
    const known =
      this.installedProviding(asked.name).length > 0 ||
      this.offeredProviding(asked.name).length > 0;
    if (known) return false;
    return this.#hasOpaque || (asked.name.startsWith('/') && !isListedFile(asked.name));
  }

  /** Whether what is installed now meets it. */
  isMetNow(asked: Capability): boolean {
    return this.installedProviding(asked.name).some((one) => providesWhat(one, asked));
  }

  #offered(look: (index: SnapshotIndex) => readonly Solvable[]): readonly Solvable[] {
    const byKey = new Map<string, Solvable>();
    for (const { index } of this.#offers) {
      for (const one of look(index)) {
        if (this.archs.has(one.package.arch) && !byKey.has(one.key)) byKey.set(one.key, one);
      }
    }
    return [...byKey.values()].sort(newestFirst);
  }
}

/** Which files primary metadata lists: createrepo_c's rule. */
function isListedFile(path: string): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail';
}

function add(map: Map<string, Solvable[]>, key: string, one: Solvable): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [one]);
  else known.push(one);
}
