/**
 * Real packages and repositories for tests: a list of what they are made of, built by rpmbuild and
 * indexed by createrepo_c. `infra/dev/up rpm` installs both.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package to build. What is left out is as for most. */
export interface SampleRpm {
  readonly name: string;
  readonly version: string;
  readonly release?: string;
  readonly epoch?: number;
  /** As a spec writes them, e.g. `libhello >= 2.0`. */
  readonly requires?: readonly string[];
  readonly provides?: readonly string[];
  readonly conflicts?: readonly string[];
  readonly obsoletes?: readonly string[];
  /** Absolute paths; each holds the package's version. */
  readonly files?: readonly string[];
  /** Of its files, those that are configuration. */
  readonly config?: readonly string[];
}

/** Two lines of versions of a small world: libraries, servers that exclude each other, a renamed one. */
export const sampleRpms: readonly SampleRpm[] = [
  { name: 'libhello', version: '1.0', provides: ['libhello.so.1'] },
  { name: 'libhello', version: '2.0', provides: ['libhello.so.2'] },
  { name: 'hello', version: '1.0', requires: ['libhello.so.1'], files: ['/usr/bin/hello'] },
  {
    ...{ name: 'hello', version: '2.0', requires: ['libhello >= 2.0', 'libhello.so.2'] },
    files: ['/usr/bin/hello', '/etc/hello.conf'],
    config: ['/etc/hello.conf'],
  },
  { name: 'greeter', version: '1.0', requires: ['/usr/bin/hello', 'webserver'] },
  { name: 'alpha-server', version: '1.0', provides: ['webserver'], conflicts: ['beta-server'] },
  { name: 'beta-server', version: '1.0', provides: ['webserver'] },
  { name: 'oldname', version: '1.0', files: ['/usr/bin/tool'] },
  {
    ...{ name: 'newname', version: '2.0', obsoletes: ['oldname < 2'] },
    provides: ['oldname = 2.0'],
    files: ['/usr/bin/tool'],
  },
  { name: 'broken', version: '1.0', requires: ['nothing-provides-this >= 3'] },
  { name: 'dated', version: '1.0~rc1', epoch: 1 },
  { name: 'dated', version: '1.0', epoch: 1 },
  { name: 'dated', version: '9.0' },
];

/** Builds them all into a folder; answers where each file is, by `name-version`. */
export function buildRpms(rpms: readonly SampleRpm[], folder: string): ReadonlyMap<string, string> {
  const top = join(folder, '.build');
  const paths = new Map<string, string>();
  mkdirSync(top, { recursive: true });
  for (const [at, round] of rounds(rpms).entries()) {
    const spec = join(top, `round-${at}.spec`);
    writeFileSync(spec, specOf(round, at));
    execFileSync(
      'rpmbuild',
      [
        ...['--quiet', '-bb', '--define', `_topdir ${top}`, '--define', `_rpmdir ${folder}`],
        ...['--define', '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm'],
        // The same inputs are the same bytes.
        ...['--define', 'use_source_date_epoch_as_buildtime 1', '--define', '_buildhost sample'],
        spec,
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: '/usr/bin:/bin', SOURCE_DATE_EPOCH: '0' },
      },
    );
    for (const { name, version, release = '1' } of round)
      paths.set(`${name}-${version}`, join(folder, `${name}-${version}-${release}.noarch.rpm`));
  }
  return paths;
}

/** Makes the folder a repository; again after its packages have changed. */
export function indexRepository(folder: string, ...options: readonly string[]): void {
  execFileSync('createrepo_c', [
    ...['--quiet', '--no-database', '--excludes', '.build/*', ...options],
    folder,
  ]);
}

export function hasRpmTools(): boolean {
  try {
    for (const tool of ['rpm', 'rpmbuild', 'createrepo_c'])
      execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A spec makes one version of a name. */
function rounds(rpms: readonly SampleRpm[]): SampleRpm[][] {
  const made: SampleRpm[][] = [];
  for (const rpm of rpms) {
    const round = made.find((one) => one.every(({ name }) => name !== rpm.name));
    if (round === undefined) made.push([rpm]);
    else round.push(rpm);
  }
  return made;
}

function specOf(round: readonly SampleRpm[], at: number): string {
  const lines = [`Name: sample-round-${at}`, 'Version: 1', 'Release: 1', 'Summary: none'];
  lines.push('License: none', 'BuildArch: noarch', '%description', 'Not built.');
  const install: string[] = [];
  const files: string[] = [];
  for (const rpm of round) {
    const { name, version, release = '1', epoch = 0, config = [] } = rpm;
    lines.push(`%package -n ${name}`, `Summary: ${name} of the sample`, 'AutoReqProv: no');
    lines.push(`Version: ${version}`, `Release: ${release}`);
    if (epoch !== 0) lines.push(`Epoch: ${epoch}`);
    const tags = [
      ['Requires', rpm.requires],
      ['Provides', rpm.provides],
      ['Conflicts', rpm.conflicts],
      ['Obsoletes', rpm.obsoletes],
    ] as const;
    for (const [tag, all = []] of tags) lines.push(...all.map((one) => `${tag}: ${one}`));
    lines.push(`%description -n ${name}`, `${name} ${version}.`);
    files.push(`%files -n ${name}`);
    for (const path of rpm.files ?? []) {
      // Packages of one round may have the same file.
      const source = `%{buildroot}${path}`;
      install.push(`mkdir -p $(dirname ${source})`, `echo ${version} > ${source}`);
      files.push(config.includes(path) ? `%config(noreplace) ${path}` : path);
    }
  }
  return [...lines, '%install', 'mkdir -p %{buildroot}', ...install, ...files, ''].join('\n');
}
