/**
 * A package transaction by the container's own rpm: the files are put into the container, one rpm does
 * it wholly, and what it made of the RPM database is looked at, whatever it said.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

import type { PackageTransaction } from '@bivouac/events/operations';

import { DriverError, type InstalledPackage, type TransactionReport } from '../../driver.ts';
import { leftOf, nevra, reportOf } from '../../transaction.ts';
import { LxdRefusal, type LxdClient } from './client.ts';
import { execIn, type Ran } from './exec.ts';
import { rpmPackages } from './packages.ts';

/** Scripts of packages may take their time; the instruction has 900 s. */
const RPM_MS = 600_000;
const PUSH_MS = 300_000;

/** Debian's rpm 4.18 takes unsigned packages; the digests in their headers it must verify. */
const VERIFY = ['--define', '_pkgverify_level digest'];

/** rpm's words are parsed. */
const environment = { LC_ALL: 'C' };

export async function transactIn(
  client: LxdClient,
  name: string,
  transaction: PackageTransaction,
  files: ReadonlyMap<string, string>,
): Promise<TransactionReport> {
  const before = await rpmPackages(client, name);
  const { coming, going } = leftOf(transaction, before);
  if (coming.length === 0 && going.length === 0)
    return reportOf(transaction, before, before, { configFiles: [], output: '' });
  const pushed: string[] = [];
  let ran: Ran | undefined;
  try {
    for (const one of coming) {
      const path = one.checksum === undefined ? undefined : files.get(one.checksum);
      if (path === undefined)
        throw new DriverError('package-unavailable', `transact: ${nevra(one)} was not fetched.`);
      const inside = `/var/tmp/bivouac-${one.checksum}.rpm`;
      pushed.push(inside);
      await push(client, name, path, inside);
    }
    ran = await execIn(client, name, commandOf(pushed, going), { deadlineMs: RPM_MS, environment });
  } finally {
    for (const inside of pushed) await remove(client, name, inside);
  }
  if (ran === undefined)
    throw new DriverError('not-possible', `transact: there is no rpm in ${name}.`);
  const after = await rpmPackages(client, name);
  const output = [ran.output, ran.errors].filter((text) => text !== '').join('\n');
  const left = leftOf(transaction, after);
  if (left.coming.length > 0 || left.going.length > 0) {
    const end = output.trim().slice(-1500);
    throw new DriverError(
      'engine-failed',
      `transact: rpm ended with ${ran.status} and said: ${end}.`,
    );
  }
  return reportOf(transaction, before, after, { configFiles: configFilesIn(output), output });
}

/** One rpm for all of it: what an update obsoletes goes with it, removals alone are an erasure. */
export function commandOf(
  files: readonly string[],
  going: readonly InstalledPackage[],
): readonly string[] {
  if (files.length > 0) return ['rpm', ...VERIFY, '-U', '--', ...files];
  return ['rpm', '-e', '--', ...going.map(full)];
}

/** As rpm takes a name on its command line; an epoch of 0 it does not. */
function full({ name, epoch, version, release, arch }: InstalledPackage): string {
  return `${name}-${epoch === 0 ? '' : `${epoch}:`}${version}-${release}.${arch}`;
}

/** What rpm says of configuration files it kept or put aside. */
export function configFilesIn(output: string): readonly string[] {
  return [...output.matchAll(/(?:created|saved) as (\/\S.*\.rpm(?:new|save|orig))\s*$/gm)].flatMap(
    ([, path]) => path ?? [],
  );
}

async function push(client: LxdClient, name: string, path: string, inside: string): Promise<void> {
  const { size: bytes } = await stat(path);
  const stream = createReadStream(path);
  const content = { stream, bytes };
  await client.change('POST', filePath(name, inside), undefined, { content, deadlineMs: PUSH_MS });
}

async function remove(client: LxdClient, name: string, inside: string): Promise<void> {
  await client.change('DELETE', filePath(name, inside)).catch((error: unknown) => {
    if (!(error instanceof LxdRefusal)) throw error;
  });
}

function filePath(name: string, inside: string): string {
  return `/1.0/instances/${name}/files?path=${encodeURIComponent(inside)}`;
}
