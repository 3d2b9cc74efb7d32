/**
 * From what is wished for to what must be installed with it and what goes: depth first, the preferred
 * package first, back where that leads nowhere. Small, since rpm has the last word anyway.
 */
import { type Capability, isOfRpm, isRich } from '../capability.ts';
import { compareEvr } from '../evr.ts';
import type { Failure } from './failure.ts';
import { isNamedBy, isSameSlot, newestFirst, providesWhat, type Solvable } from './solvable.ts';
import type { Universe } from './universe.ts';

/** What a transaction comes to: added, and gone of what was installed. */
export interface Choice {
  readonly chosen: ReadonlySet<Solvable>;
  readonly gone: ReadonlySet<Solvable>;
}

export const nothingChosen: Choice = { chosen: new Set(), gone: new Set() };

type Goal =
  /** One of these, the preferred first. */
  | { readonly kind: 'want'; readonly options: readonly Solvable[] }
  /** What a package that stays or comes requires. */
  | { readonly kind: 'need'; readonly asked: Capability; readonly by: Solvable }
  /** An installed package that cannot stay as it is beside another. */
  | { readonly kind: 'away'; readonly who: Solvable; readonly because: Failure };

/** How many packages are tried before it is given up. */
const MOST_TRIES = 5_000;

/** Extends a choice by one of the wanted packages, the preferred first, and all it requires. */
export function extend(
  universe: Universe,
  from: Choice,
  wanted: readonly (readonly Solvable[])[],
): Choice | Failure {
  const solver = new Solver(universe);
  return solver.reach(
    from,
    wanted.map((options) => ({ kind: 'want', options })),
  );
}

/** What installed packages would miss if these went, of what they have now. */
export function missedBy(
  universe: Universe,
  choice: Choice,
): readonly { readonly asked: Capability; readonly by: Solvable }[] {
  return [...choice.gone].flatMap((gone) => missedOf(universe, choice, gone));
}

export function isFailure(outcome: Choice | Failure): outcome is Failure {
  return 'kind' in outcome;
}

/** Whether a package is there after the transaction. */
export function isThere({ chosen, gone }: Choice, one: Solvable): boolean {
  return one.offer === undefined ? !gone.has(one) : chosen.has(one);
}

/** Whether a requirement is met after the transaction. */
export function isMet(universe: Universe, choice: Choice, asked: Capability): boolean {
  const there = (one: Solvable): boolean => isThere(choice, one) && providesWhat(one, asked);
  return (
    universe.installedProviding(asked.name).some(there) ||
    universe.offeredProviding(asked.name).some(there)
  );
}

class Solver {
  readonly #universe: Universe;
  #tries = 0;

  constructor(universe: Universe) {
    this.#universe = universe;
  }

  reach(choice: Choice, goals: readonly Goal[]): Choice | Failure {
    for (const [at, goal] of goals.entries()) {
      if (this.#isReached(choice, goal)) continue;
      const rest = goals.slice(at + 1);
      let first: Failure | undefined;
      for (const option of this.#options(goal)) {
        if (++this.#tries > MOST_TRIES) return { kind: 'too-hard' };
        const taken = this.#take(choice, option);
        const outcome =
          'kind' in taken ? taken : this.reach(taken.choice, [...taken.goals, ...rest]);
        if (!isFailure(outcome)) return outcome;
        if (outcome.kind === 'too-hard') return outcome;
        first ??= outcome;
      }
      return first ?? failureOf(goal);
    }
    return choice;
  }

  #isReached(choice: Choice, goal: Goal): boolean {
    switch (goal.kind) {
      case 'want':
        return goal.options.some((one) => choice.chosen.has(one));
      case 'need':
        return (
          !isThere(choice, goal.by) ||
          isMet(this.#universe, choice, goal.asked) ||
          this.#universe.isLeftToRpm(goal.asked)
        );
      case 'away':
        return !isThere(choice, goal.who);
    }
  }

  /** What may reach the goal, the preferred first. */
  #options(goal: Goal): readonly Solvable[] {
    switch (goal.kind) {
      case 'want':
        return goal.options;
      case 'away':
        return this.#successors(goal.who);
      case 'need': {
        const { asked, by } = goal;
        const rank = (one: Solvable): number =>
          one.package.name === asked.name
            ? 0
            : this.#universe.installedNamed(one.package.name).length > 0
              ? 1
              : 2;
        const providers = this.#universe
          .offeredProviding(asked.name)
          .filter((one) => providesWhat(one, asked) && !this.#goesBack(one))
          .sort(
            (a, b) =>
              rank(a) - rank(b) ||
              (a.package.name === b.package.name
                ? newestFirst(a, b)
                : a.package.name < b.package.name
                  ? -1
                  : 1),
          );
        // What is installed and misses something now may have a version that does not.
        return by.offer === undefined ? [...this.#successors(by), ...providers] : providers;
      }
    }
  }

  /** Whether it is installed already in this version or a newer one. */
  #goesBack(one: Solvable): boolean {
    return this.#universe
      .installedNamed(one.package.name)
      .some((old) => isSameSlot(old.package, one.package) && compareEvr(one.evr, old.evr) <= 0);
  }

  /** What can take an installed package's place: newer ones, and those that obsolete it. */
  #successors(than: Solvable): readonly Solvable[] {
    const newer = this.#universe
      .offeredNamed(than.package.name)
      .filter((one) => isSameSlot(one.package, than.package) && compareEvr(one.evr, than.evr) > 0);
    return [...newer, ...this.#universe.offeredObsoleting(than)];
  }

  /** The choice with one package more, and what is to be reached for it; or why it cannot be. */
  #take(
    choice: Choice,
    one: Solvable,
  ): { readonly choice: Choice; readonly goals: readonly Goal[] } | Failure {
    const universe = this.#universe;
    const { name } = one.package;
    const going: Solvable[] = [];
    for (const other of choice.chosen) {
      if (isSameSlot(other.package, one.package))
        return { kind: 'conflict', one, other, why: 'both versions needed' };
      const obsolete =
        one.obsoletes.some((capability) => isNamedBy(other, capability)) ||
        other.obsoletes.some((capability) => isNamedBy(one, capability));
      if (obsolete) return { kind: 'conflict', one, other, why: 'obsoletes' };
      if (conflict(one, other)) return { kind: 'conflict', one, other, why: 'conflicts' };
    }
    for (const other of universe.installedNamed(name)) {
      if (!isThere(choice, other) || !isSameSlot(other.package, one.package)) continue;
      if (compareEvr(one.evr, other.evr) <= 0)
        return { kind: 'conflict', one, other, why: 'older than installed' };
      going.push(other);
    }
    for (const capability of one.obsoletes) {
      if (capability.name === name) continue;
      for (const other of universe.installedNamed(capability.name)) {
        if (isThere(choice, other) && isNamedBy(other, capability)) going.push(other);
      }
    }
    const next = {
      chosen: new Set([...choice.chosen, one]),
      gone: new Set([...choice.gone, ...going]),
    };
    const goals: Goal[] = [];
    const against = new Set([
      ...one.conflicts.flatMap(({ name: what }) => universe.installedProviding(what)),
      ...universe.excluding,
    ]);
    for (const other of against) {
      if (next.gone.has(other)) continue;
      const obsoleted = other.obsoletes.some((capability) => isNamedBy(one, capability));
      if (!obsoleted && !conflict(one, other)) continue;
      const why = obsoleted ? 'obsoletes' : 'conflicts';
      goals.push({ kind: 'away', who: other, because: { kind: 'conflict', one, other, why } });
    }
    for (const asked of one.requires) {
      if (!isRich(asked.name) && !isOfRpm(asked.name)) goals.push({ kind: 'need', asked, by: one });
    }
    for (const gone of going) {
      for (const missed of missedOf(universe, next, gone)) goals.push({ kind: 'need', ...missed });
      // What was chosen before may have relied on it.
      for (const by of choice.chosen) {
        for (const asked of by.requires) {
          if (providesWhat(gone, asked)) goals.push({ kind: 'need', asked, by });
        }
      }
    }
    return { choice: next, goals };
  }
}

/** What a package that goes leaves others without. */
function missedOf(
  universe: Universe,
  choice: Choice,
  gone: Solvable,
): { readonly asked: Capability; readonly by: Solvable }[] {
  const names = new Set([...gone.provides.map(({ name }) => name), ...gone.files]);
  return [...names].flatMap((name) =>
    universe
      .installedRequiring(name)
      .filter((by) => isThere(choice, by))
      .flatMap((by) =>
        by.requires
          .filter((asked) => asked.name === name)
          .filter((asked) => universe.isMetNow(asked) && !isMet(universe, choice, asked))
          .map((asked) => ({ asked, by })),
      ),
  );
}

/** No package conflicts with itself, whatever it provides. */
function conflict(a: Solvable, b: Solvable): boolean {
  return (
    a.conflicts.some((capability) => providesWhat(b, capability)) ||
    b.conflicts.some((capability) => providesWhat(a, capability))
  );
}

function failureOf(goal: Goal): Failure {
  switch (goal.kind) {
    case 'away':
      return goal.because;
    case 'need':
      return { kind: 'unresolved', asked: goal.asked, by: goal.by };
    case 'want':
      return { kind: 'too-hard' };
  }
}
