/** The RPM database of a container, as its own rpm tells it. */
import { PackageSchema } from '@bivouac/events/packages';

import { DriverError, type InstalledPackage } from '../../driver.ts';
import type { LxdClient } from './client.ts';
import { execIn } from './exec.ts';

const FORMAT = '%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n';
const LINE = /^(\S+)\t(\d{1,10})\t(\S+)\t(\S+)\t(\S+)$/;
/** As many as a report holds. */
const MOST_PACKAGES = 20_000;

/** Empty where there is no rpm. The container is running. */
export async function rpmPackages(
  client: LxdClient,
  name: string,
): Promise<readonly InstalledPackage[]> {
  const ran = await execIn(client, name, ['rpm', '-qa', '--qf', FORMAT]);
  if (ran === undefined) return [];
  if (ran.status !== 0)
    throw new DriverError('engine-failed', `packages: rpm in ${name} ended with ${ran.status}.`);
  const lines = ran.output.split('\n').filter((line) => line !== '');
  if (lines.length > MOST_PACKAGES)
    throw new DriverError(
      'engine-failed',
      `packages: rpm in ${name} lists ${lines.length} packages, more than ${MOST_PACKAGES}.`,
    );
  return lines.map((line) => parseLine(name, line)).filter((found) => found.name !== 'gpg-pubkey'); // A key that rpm keeps among its packages.
}

/** The container's owner can make its rpm say anything: what is no package is refused, not guessed. */
function parseLine(instance: string, line: string): InstalledPackage {
  const [, name, epoch, version, release, arch] = LINE.exec(line) ?? [];
  // A key has no architecture: `(none)`.
  const named = { name, epoch: Number(epoch), version, release };
  const parsed = PackageSchema.safeParse({ ...named, arch: arch === '(none)' ? 'noarch' : arch });
  if (!parsed.success)
    throw new DriverError('engine-failed', `packages: rpm in ${instance} printed no package list.`);
  return parsed.data;
}
