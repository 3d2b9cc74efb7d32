/** Which transaction an order comes to: sound, the same every time, and found where there is one. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { nevra } from '../package-list.ts';
import type { RepositoryPackage } from '../repository-package.ts';
import { anyWorld, bare, faults, offer, universeOf } from './sample-universe.ts';
import { newestFirst, type Solvable } from './solvable.ts';
import { type Resolved, resolve, type Wish } from './transaction.ts';
import type { Universe } from './universe.ts';

function plan(universe: Universe, action: Wish['action'], ...packages: readonly string[]) {
  const outcome = resolve(universe, { action, packages });
  if (outcome.kind === 'refused') {
    const { code, details } = outcome.refusal;
    return { code, details };
  }
  const names = (list: Resolved['install']): string[] =>
    list.map(({ package: one }) => `${one.name}-${one.version}`);
  return {
    install: names(outcome.install),
    upgrade: names(outcome.upgrade),
    remove: outcome.remove.map(({ name, version }) => `${name}-${version}`),
  };
}

const nothing = { install: [], upgrade: [], remove: [] };

describe('to install', () => {
  const lib = offer('lib', '2', { provides: ['lib.so.2'] });
  const tool = offer('tool', '1', { requires: ['lib.so.2', 'lib >= 2'], files: ['/usr/bin/tool'] });

  it('brings what it requires, by capability, version and file, however deep', () => {
    const app = offer('app', '1', { requires: ['/usr/bin/tool', 'rpmlib(X) <= 4', '(a or b)'] });
    expect(plan(universeOf([], [lib, tool, app]), 'install', 'app')).toEqual({
      ...nothing,
      install: ['app-1', 'lib-2', 'tool-1'],
    });
  });

  it('takes nothing that is there, and upgrades what is too old', () => {
    const old = offer('lib', '1', { provides: ['lib.so.1'] });
    expect(plan(universeOf([lib], [lib, tool]), 'install', 'tool')).toEqual({
      ...nothing,
      install: ['tool-1'],
    });
    expect(plan(universeOf([old], [old, lib, tool]), 'install', 'tool')).toEqual({
      ...nothing,
      install: ['tool-1'],
      upgrade: ['lib-2'],
    });
  });

  it('takes the newest version, or the one that is named, by any part of its name', () => {
    const all = [
      offer('vim', '9.1', { epoch: 2 }),
      offer('vim', '9.0', { epoch: 2 }),
      offer('vim', '10', { arch: 'noarch' }),
    ];
    const universe = universeOf([bare(lib)], all);
    const found = (text: string) => plan(universe, 'install', text);
    for (const [text, version] of [
      ...(['vim', 'vim.x86_64', 'vim-9.1', 'vim-2:9.1-1', 'vim-9.1-1.x86_64'] as const).map(
        (one) => [one, '9.1'] as const,
      ),
      ['vim-9.0', '9.0'] as const,
      ['vim.noarch', '10'] as const,
    ])
      expect([text, found(text)]).toEqual([text, { ...nothing, install: [`vim-${version}`] }]);
    expect(found('vim-8')).toMatchObject({
      code: 'PACKAGE_UNKNOWN',
      details: { package: 'vim-8' },
    });
    expect(found('vim.s390x')).toMatchObject({ code: 'PACKAGE_UNKNOWN' });
  });

  it('can be asked for by what it provides', () => {
    const universe = universeOf([], [lib, tool]);
    for (const text of ['/usr/bin/tool', 'tool = 1-1'])
      expect(plan(universe, 'install', text)).toMatchObject({ install: ['lib-2', 'tool-1'] });
  });

  it('goes back where the preferred provider leads nowhere', () => {
    const all = [
      offer('app', '1', { requires: ['server'] }),
      offer('a-server', '1', { provides: ['server'], requires: ['missing'] }),
      offer('b-server', '1', { provides: ['server'] }),
    ];
    expect(plan(universeOf([], all), 'install', 'app')).toEqual({
      ...nothing,
      install: ['app-1', 'b-server-1'],
    });
  });

  it('says what is missing, and by whom', () => {
    const app = offer('app', '1', { requires: ['lib >= 3'] });
    expect(plan(universeOf([], [lib, app]), 'install', 'app')).toEqual({
      code: 'DEPENDENCY_UNRESOLVED',
      details: { package: 'app-0:1-1.x86_64', requires: 'lib >= 3' },
    });
  });

  it('says what excludes it: a conflict either way, or what obsoletes it', () => {
    const one = offer('one', '1', { conflicts: ['two'] });
    const two = offer('two', '1');
    const instead = offer('instead', '1', { obsoletes: ['two'] });
    for (const [installed, wanted] of [
      [one, 'two'],
      [two, 'one'],
      [instead, 'two'],
    ] as const)
      expect(plan(universeOf([installed], [installed, one, two]), 'install', wanted)).toMatchObject(
        { code: 'PACKAGE_CONFLICT' },
      );
    expect(plan(universeOf([], [one, two]), 'install', 'one', 'two')).toMatchObject({
      code: 'PACKAGE_CONFLICT',
    });
  });

  it('upgrades away an installed version that it conflicts with', () => {
    const all = [offer('new', '1', { conflicts: ['lib < 2'] }), lib];
    expect(plan(universeOf([offer('lib', '1')], all), 'install', 'new')).toEqual({
      ...nothing,
      install: ['new-1'],
      upgrade: ['lib-2'],
    });
  });

  it('of what is there comes to nothing to do; it never goes back to an older one', () => {
    const universe = universeOf([offer('lib', '3')], [lib]);
    expect(plan(universe, 'install', 'lib')).toMatchObject({ code: 'NOTHING_TO_DO' });
    expect(plan(universe, 'install', 'lib-2')).toMatchObject({ code: 'NOTHING_TO_DO' });
  });

  it('leaves to rpm what nobody can know: unlisted files, and what unknown packages may provide', () => {
    const app = offer('app', '1', { requires: ['/usr/share/x'] });
    const other = offer('other', '1', { requires: ['from-somewhere'] });
    expect(plan(universeOf([], [app]), 'install', 'app')).toMatchObject({ install: ['app-1'] });
    const foreign = bare(offer('foreign', '1'));
    expect(plan(universeOf([foreign], [other]), 'install', 'other')).toMatchObject({
      install: ['other-1'],
    });
    expect(plan(universeOf([], [other]), 'install', 'other')).toMatchObject({
      code: 'DEPENDENCY_UNRESOLVED',
    });
  });

  it('takes the same package from the first of two repositories by name', () => {
    const outcome = resolve(universeOf([], [lib], [{ ...lib, location: 'elsewhere.rpm' }]), {
      action: 'install',
      packages: ['lib'],
    });
    expect(outcome).toMatchObject({ install: [{ repository: 'repository-0' }] });
  });
});

describe('to upgrade', () => {
  const libs = ['1', '2'].map((version) => offer('lib', version));
  const users = ['1', '2'].map((version) =>
    offer('user', version, { requires: [`lib = ${version}`] }),
  );
  const installed = [libs[0], users[0]].flatMap((one) => one ?? []);

  it('takes along what would break', () => {
    const universe = universeOf(installed, [...libs, ...users]);
    const both = { ...nothing, upgrade: ['lib-2', 'user-2'] };
    expect(plan(universe, 'upgrade', 'lib')).toEqual(both);
    expect(plan(universe, 'upgrade', 'user')).toEqual(both);
    expect(plan(universe, 'upgrade')).toEqual(both);
  });

  it('refuses what would break others, and with all upgrades the rest', () => {
    const [, newLib] = libs;
    const more = [offer('other', '1'), offer('other', '2')];
    const all = [...libs, ...users.slice(0, 1), ...more];
    const there = [...installed, ...more.slice(0, 1)];
    expect(newLib).toBeDefined();
    expect(plan(universeOf(there, all), 'upgrade', 'lib')).toMatchObject({
      code: 'DEPENDENCY_UNRESOLVED',
      details: { package: 'user-0:1-1.x86_64', requires: 'lib = 1' },
    });
    expect(plan(universeOf(there, all), 'upgrade')).toEqual({ ...nothing, upgrade: ['other-2'] });
    expect(plan(universeOf(installed, all), 'upgrade')).toMatchObject({
      code: 'DEPENDENCY_UNRESOLVED',
    });
  });

  it('takes what obsoletes it, and of what is newest nothing', () => {
    const next = offer('next', '5', { obsoletes: ['lib < 3'], provides: ['lib = 3'] });
    expect(plan(universeOf([libs[1] ?? next], [...libs, next]), 'upgrade')).toEqual({
      ...nothing,
      install: ['next-5'],
      remove: ['lib-2'],
    });
    expect(plan(universeOf([next], [next]), 'upgrade', 'next')).toMatchObject({
      code: 'NOTHING_TO_DO',
    });
    expect(plan(universeOf([], [next]), 'upgrade', 'next')).toMatchObject({
      code: 'PACKAGE_NOT_INSTALLED',
    });
  });
});

describe('to remove', () => {
  const lib = offer('lib', '1', { provides: ['lib.so'] });
  const user = offer('user', '1', { requires: ['lib.so'] });
  const universe = universeOf([lib, user], [lib, user]);

  it('takes what nothing requires, or what is removed with those that do', () => {
    expect(plan(universe, 'remove', 'user')).toEqual({ ...nothing, remove: ['user-1'] });
    expect(plan(universe, 'remove', 'lib', 'user')).toMatchObject({ remove: ['lib-1', 'user-1'] });
  });

  it('names those that would miss it, and what is not there', () => {
    expect(plan(universe, 'remove', 'lib')).toEqual({
      code: 'PACKAGE_REQUIRED_BY',
      details: { requiredBy: ['user-0:1-1.x86_64'] },
    });
    expect(plan(universe, 'remove', 'vim')).toMatchObject({ code: 'PACKAGE_NOT_INSTALLED' });
  });

  it('leaves it where another provides the same', () => {
    const other = offer('other', '1', { provides: ['lib.so'] });
    const three = [lib, user, other];
    expect(plan(universeOf(three, three), 'remove', 'lib')).toMatchObject({ remove: ['lib-1'] });
  });
});

describe('whatever the packages', () => {
  const anyCase = anyWorld.chain((world) =>
    fc.record({
      world: fc.constant(world),
      action: fc.constantFrom('install', 'install', 'upgrade', 'remove'),
      packages: fc.uniqueArray(
        fc.constantFrom(...world.offers, ...world.installed).map(({ name }) => name),
        { minLength: 1, maxLength: 2 },
      ),
      salt: fc.integer(),
    }),
  );

  /** The coming packages as the universe has them. */
  const comingOf = (universe: Universe, { install, upgrade }: Resolved): Solvable[] =>
    [...install, ...upgrade].flatMap(({ package: one }) =>
      universe.offeredNamed(one.name).filter(({ key }) => key === nevra(one)),
    );

  it('a transaction leaves nothing unmet or in conflict, and does what was asked', () => {
    fc.assert(
      fc.property(anyCase, ({ world, action, packages }) => {
        const universe = universeOf(world.installed, world.offers);
        const outcome = resolve(universe, { action, packages });
        if (outcome.kind === 'refused') return;
        if (action === 'remove') {
          expect(outcome.remove.map(({ name }) => name).sort()).toEqual([...packages].sort());
          const gone = new Set(outcome.remove.map(nevra));
          const left = universe.installed.filter(({ key }) => !gone.has(key));
          const rest = universeOf(
            left.map((one) => one.package),
            world.offers,
          );
          for (const one of left) {
            for (const asked of one.requires)
              expect([universe.isMetNow(asked), rest.isMetNow(asked)]).not.toEqual([true, false]);
          }
          return;
        }
        const coming = comingOf(universe, outcome);
        expect(faults(universe, coming)).toEqual([]);
        const there = new Set([...coming, ...universe.installed].map((one) => one.package.name));
        for (const name of packages) expect(there).toContain(name);
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same in whatever order packages and repositories are given', () => {
    const shuffled = <T>(list: readonly T[], salt: number): T[] =>
      list
        .map((one, at) => [Math.imul(at + 1, salt | 1) >>> 0, one] as const)
        .sort(([a], [b]) => a - b)
        .map(([, one]) => one);
    fc.assert(
      fc.property(anyCase, ({ world, action, packages, salt }) => {
        const one = resolve(universeOf(world.installed, world.offers), { action, packages });
        const other = resolve(
          universeOf(shuffled(world.installed, salt), shuffled(world.offers, salt)),
          { action, packages },
        );
        expect(other).toEqual(one);
      }),
      { numRuns: 500 },
    );
  });

  it('an install is refused only where no choice of packages on offer would do', () => {
    fc.assert(
      fc.property(anyCase, ({ world, packages }) => {
        const universe = universeOf(world.installed, world.offers);
        const outcome = resolve(universe, { action: 'install', packages });
        if (outcome.kind !== 'refused' || outcome.refusal.code === 'NOTHING_TO_DO') return;
        if (outcome.refusal.code === 'PACKAGE_UNKNOWN') return;
        const all = offersIn(universe, world.offers);
        const wanted = packages.flatMap((name) => newest(universe, name));
        for (let bits = 0; bits < 2 ** all.length; bits++) {
          const chosen = all.filter((_one, at) => (bits >> at) % 2 === 1);
          if (!wanted.every((one) => chosen.includes(one))) continue;
          const sound = faults(universe, chosen).length === 0;
          expect(sound ? chosen.map(({ key }) => key) : 'unsound').toBe('unsound');
        }
      }),
      { numRuns: 500 },
    );
  });

  function offersIn(universe: Universe, offers: readonly RepositoryPackage[]): Solvable[] {
    const names = new Set(offers.map(({ name }) => name));
    return [...names].flatMap((name) => universe.offeredNamed(name));
  }

  /** What an install of a name brings, unless it is there already. */
  function newest(universe: Universe, name: string): Solvable[] {
    const [best] = [...universe.offeredNamed(name)].sort(newestFirst);
    const there = universe
      .installedNamed(name)
      .some((old) => best !== undefined && newestFirst(old, best) <= 0);
    return best === undefined || there ? [] : [best];
  }
});
