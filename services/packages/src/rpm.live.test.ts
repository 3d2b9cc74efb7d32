/**
 * Real rpm as the judge: a repository that createrepo_c made is read over HTTP, and each transaction
 * resolved from it is done by rpm, in a root of its own, or refused by it as it was by us.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Package } from '@bivouac/events/packages';
import fc from 'fast-check';
import { z } from 'zod';

import { webSource } from './adapters/repository-source.web.ts';
import { nevra } from './domain/package-list.ts';
import { indexOf } from './domain/solver/snapshot-index.ts';
import { resolve, type Wish } from './domain/solver/transaction.ts';
import { Universe } from './domain/solver/universe.ts';
import { readRepository } from './repodata/read-repository.ts';
import {
  buildRpms,
  hasRpmTools,
  indexRepository,
  type SampleRpm,
  sampleRpms,
} from './sample-rpms.ts';

const TIMEOUT = 180_000;
const seed = Number(process.env['FC_SEED'] ?? 20260410);
const DBPATH = '/var/lib/rpm';

if (hasRpmTools()) judgedByRpm();
else
  test('there is an rpm to judge', () => {
    const missing = 'rpm or createrepo_c is not installed (infra/dev/up rpm installs them).';
    if (process.env['CI'] === 'true') throw new Error(missing);
    process.stderr.write(`${missing}\n`);
  });

function judgedByRpm(): void {
  let folder: string;
  let server: Server | undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bivouac-rpm-'));
  });
  afterAll(() => {
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Builds, indexes and serves the packages; answers the base URL and where the files are. */
  async function served(name: string, rpms: readonly SampleRpm[]) {
    const home = join(folder, name);
    mkdirSync(home);
    const paths = buildRpms(rpms, home);
    indexRepository(home);
    server?.close();
    const web = createServer((request, response) => {
      try {
        response.end(
          readFileSync(join(home, normalize(new URL(request.url ?? '', 'http://x').pathname))),
        );
      } catch {
        response.writeHead(404).end();
      }
    });
    server = web;
    await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
    const { port } = z.object({ port: z.number() }).parse(web.address());
    return { baseUrl: `http://127.0.0.1:${port}/`, home, paths };
  }

  /** A root with an RPM database of its own. */
  function newRoot(name: string) {
    const root = join(folder, name);
    mkdirSync(root);
    const rpm = (...args: readonly string[]): { readonly ok: boolean; readonly said: string } => {
      try {
        const said = execFileSync(
          'rpm',
          ['--root', root, '--define', `_dbpath ${DBPATH}`, ...args],
          {
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'pipe'],
          },
        );
        return { ok: true, said };
      } catch (error) {
        return { ok: false, said: String(error instanceof Error ? error.message : error) };
      }
    };
    rpm('--initdb');
    const installed = (): Package[] =>
      rpm('-qa', '--qf', '%{NAME} %{EPOCHNUM} %{VERSION} %{RELEASE} %{ARCH}\\n')
        .said.split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [one = '', epoch, version = '', release = '', arch = ''] = line.split(' ');
          return { name: one, epoch: Number(epoch), version, release, arch };
        });
    return { rpm, installed };
  }

  const nevras = (list: readonly Package[]): string[] => list.map(nevra).sort();

  /** Orders one after the other: what we resolve rpm does, what we refuse it refuses. */
  async function judge(name: string, rpms: readonly SampleRpm[], wishes: readonly Wish[]) {
    const { baseUrl, home } = await served(name, rpms);
    const { packages } = await readRepository(baseUrl, webSource());
    const index = indexOf(packages);
    const { rpm, installed } = newRoot(`${name}-root`);
    const outcomes: string[] = [];
    for (const wish of wishes) {
      const before = installed();
      const universe = new Universe(before, [{ name, arch: 'x86_64', index }]);
      const outcome = resolve(universe, wish);
      const context = JSON.stringify({ seed, wish, before: nevras(before) });
      if (outcome.kind === 'refused') {
        const { code, details } = outcome.refusal;
        outcomes.push(code);
        // rpm installs beside what obsoletes it; nobody who means it would.
        if (code === 'PACKAGE_CONFLICT' && details?.['why'] === 'obsoletes') continue;
        if (['NOTHING_TO_DO', 'PACKAGE_UNKNOWN', 'PACKAGE_NOT_INSTALLED'].includes(code)) continue;
        const newest = wish.packages.map((text) => universe.offeredNamed(text)[0]?.offer?.location);
        const files = newest.flatMap((location) =>
          location === undefined ? [] : join(home, location),
        );
        const said =
          wish.action === 'remove'
            ? rpm('-e', '--test', ...wish.packages)
            : rpm('-U', '--test', ...files);
        expect([context, code, said.ok]).toEqual([context, code, false]);
        continue;
      }
      outcomes.push('resolved');
      const coming = [...outcome.install, ...outcome.upgrade].map(({ package: one }) => one);
      const files = coming.map(({ location }) => join(home, location));
      const done =
        files.length > 0
          ? rpm('--define', '_pkgverify_level digest', '-U', ...files)
          : rpm('-e', ...outcome.remove.map(({ name: one }) => one));
      expect([context, done.ok ? '' : done.said]).toEqual([context, '']);
      const slots = new Set(coming.map((one) => one.name));
      const gone = new Set(nevras(outcome.remove));
      const stays = before.filter((one) => !slots.has(one.name) && !gone.has(nevra(one)));
      expect([context, nevras(installed())]).toEqual([context, nevras([...stays, ...coming])]);
    }
    return outcomes;
  }

  describe('judged by rpm itself', () => {
    test(
      'the sample world is installed, upgraded, renamed and refused alike',
      async () => {
        const wish = (action: Wish['action'], ...packages: string[]): Wish => ({
          action,
          packages,
        });
        const outcomes = await judge('sample', sampleRpms, [
          wish('install', 'hello-1.0'),
          wish('install', 'greeter'),
          wish('install', 'beta-server'),
          wish('remove', 'hello'),
          wish('upgrade', 'libhello'),
          wish('install', 'broken'),
          wish('install', 'oldname'),
          wish('install', 'newname'),
          wish('install', 'dated'),
          wish('upgrade'),
          wish('remove', 'greeter', 'hello'),
        ]);
        expect(outcomes).toEqual([
          ...['resolved', 'resolved', 'PACKAGE_CONFLICT', 'PACKAGE_REQUIRED_BY', 'resolved'],
          ...['DEPENDENCY_UNRESOLVED', 'resolved', 'resolved', 'resolved', 'NOTHING_TO_DO'],
          'resolved',
        ]);
      },
      TIMEOUT,
    );

    test(
      'drawn worlds are, order by order',
      async () => {
        const counts = new Map<string, number>();
        for (const [at, world] of fc.sample(anyWorld, { seed, numRuns: 6 }).entries()) {
          for (const outcome of await judge(`drawn-${at}`, world.rpms, world.wishes))
            counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        }
        // It has been about something.
        expect(counts.get('resolved') ?? 0).toBeGreaterThan(5);
        expect(counts.size).toBeGreaterThan(2);
      },
      TIMEOUT,
    );
  });
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const sense = fc.constantFrom('<', '<=', '=', '>=', '>');
const version = fc.constantFrom('1.0', '2.0', '2.0~rc1', '3.0');
const capability = fc
  .tuple(
    fc.constantFrom(...names, 'virtual', 'other'),
    fc.option(fc.tuple(sense, version, fc.constantFrom('', '-1', '-2')), {
      nil: undefined,
      freq: 1,
    }),
  )
  .map(([name, range]) =>
    range === undefined ? name : `${name} ${range[0]} ${range[1]}${range[2]}`,
  );
const anyRpm: fc.Arbitrary<SampleRpm> = fc.record({
  name: fc.constantFrom(...names),
  version,
  release: fc.constantFrom('1', '2'),
  epoch: fc.constantFrom(0, 0, 0, 1),
  requires: fc.oneof(fc.constant([]), fc.array(capability, { maxLength: 2 })),
  provides: fc.array(fc.constantFrom('virtual', 'virtual = 2.0', 'other = 1:1.0-1'), {
    maxLength: 1,
  }),
  conflicts: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(capability, { maxLength: 1 }) },
  ),
  obsoletes: fc.oneof(
    { weight: 8, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.constantFrom('a < 3.0', 'b', 'c <= 2.0'), { maxLength: 1 }),
    },
  ),
});

const anyWish: fc.Arbitrary<Wish> = fc.record({
  action: fc.constantFrom('install', 'install', 'install', 'upgrade', 'remove'),
  packages: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 2 }),
});

const anyWorld = fc.record({
  rpms: fc.uniqueArray(anyRpm, {
    selector: (one) => `${one.name} ${one.version} ${one.release ?? ''}`,
    minLength: 12,
    maxLength: 24,
  }),
  wishes: fc.array(anyWish, { minLength: 15, maxLength: 25 }),
});
