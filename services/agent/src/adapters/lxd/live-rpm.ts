/**
 * For live tests: the skel with this machine's own rpm in it, its libraries and a database, and two
 * versions of a package built on the spot.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { BenchRpm } from '../../driver.conformance.ts';
import type { ImageSource } from '../../driver.ts';
import { skelImage } from './skel-image.ts';
import { tarOf, type TarEntry } from './tar.ts';

const DBPATH = '/var/lib/rpm';

/** Why no rpm can be put into an image, in a sentence; undefined where it can. */
export function whyNoRpm(): string | undefined {
  try {
    for (const tool of ['rpm', 'rpmbuild']) execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'rpm cannot be tried; install it with infra/dev/up rpm.';
  }
}

/** A package whose configuration file tells its version. */
export function buildRpm(folder: string, name: string, version: string): BenchRpm {
  const spec = join(folder, `${name}-${version}.spec`);
  writeFileSync(
    spec,
    [
      ...[`Name: ${name}`, `Version: ${version}`, 'Release: 1', 'Summary: none', 'License: none'],
      ...['BuildArch: noarch', 'AutoReqProv: no', '%description', 'None.', '%install'],
      `mkdir -p %{buildroot}/etc`,
      `echo ${version} > %{buildroot}/etc/${name}.conf`,
      ...['%files', `%config(noreplace) /etc/${name}.conf`, ''],
    ].join('\n'),
  );
  execFileSync(
    'rpmbuild',
    [
      ...[
        '--quiet',
        '-bb',
        '--define',
        `_topdir ${folder}/.build`,
        '--define',
        `_rpmdir ${folder}`,
      ],
      ...['--define', '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm', spec],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const path = join(folder, `${name}-${version}-1.noarch.rpm`);
  const checksum = createHash('sha256').update(readFileSync(path)).digest('hex');
  const identity = { name, epoch: 0, version, release: '1', arch: 'noarch' };
  return { path, package: { ...identity, url: pathToFileURL(path).href, checksum } };
}

/** The image, whose RPM database has the package installed that is handed in. */
export async function imageWithRpm(folder: string, installed: BenchRpm): Promise<ImageSource> {
  const root = join(folder, 'root');
  mkdirSync(root, { recursive: true });
  const rpm = (...args: readonly string[]): void => {
    execFileSync('rpm', ['--root', root, '--define', `_dbpath ${DBPATH}`, ...args], {
      stdio: 'ignore',
    });
  };
  rpm('--initdb');
  rpm('-i', installed.path);
  const database = readdirSync(join(root, DBPATH)).map((name) => `${DBPATH}/${name}`);
  const entries: TarEntry[] = [];
  const folders = new Set<string>(SKEL_FOLDERS);
  const add = (path: string, from: string, mode: number): void => {
    for (const parent of parentsOf(path)) {
      if (folders.has(parent)) continue;
      folders.add(parent);
      entries.push({ path: `rootfs${parent}/`, folder: true });
    }
    entries.push({ path: `rootfs${path}`, content: readFileSync(from), mode });
  };
  add('/usr/bin/rpm', '/usr/bin/rpm', 0o755);
  for (const library of librariesOf('/usr/bin/rpm')) add(library, library, 0o755);
  for (const file of ['/usr/lib/rpm/rpmrc', '/usr/lib/rpm/macros']) add(file, file, 0o644);
  const macros = join(folder, 'macros');
  // Debian's rpm keeps its database in the home folder otherwise.
  writeFileSync(macros, `%_dbpath ${DBPATH}\n`);
  add('/etc/rpm/macros', macros, 0o644);
  for (const path of database) add(path, join(root, path), 0o644);
  const skelTar = await skelImage('/bin/busybox');
  // Two empty blocks end an archive; without them the next one goes on.
  const content = Buffer.concat([skelTar.subarray(0, -1024), tarOf(entries)]);
  const file = join(folder, 'image.tar');
  writeFileSync(file, content);
  const digest = createHash('sha256').update(content).digest('hex');
  return { digest, name: 'with-rpm', source: pathToFileURL(file).href };
}

/** Those the skel has. */
const SKEL_FOLDERS = ['/etc', '/usr', '/usr/bin', '/var', '/bin', '/sbin'];

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = dirname(path); at !== '/'; at = dirname(at)) parents.unshift(at);
  return parents;
}

function librariesOf(program: string): string[] {
  const said = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...said.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? []);
}
