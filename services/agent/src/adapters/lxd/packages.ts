/** The RPM database of a container, as its own rpm tells it. */
import { DriverError, type InstalledPackage } from '../../driver.ts';
import type { LxdClient } from './client.ts';
import { execIn } from './exec.ts';

const FORMAT = '%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n';
const LINE = /^([^\s]{1,256})\t(\d{1,9})\t([^\s]{1,256})\t([^\s]{1,256})\t([^\s]{1,64})$/;

/** Empty where there is no rpm. The container is running. */
export async function rpmPackages(
  client: LxdClient,
  name: string,
): Promise<readonly InstalledPackage[]> {
  const ran = await execIn(client, name, ['rpm', '-qa', '--qf', FORMAT]);
  if (ran === undefined) return [];
  if (ran.status !== 0)
    throw new DriverError('engine-failed', `packages: rpm in ${name} ended with ${ran.status}.`);
  return ran.output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseLine(name, line))
    .filter((found) => found.name !== 'gpg-pubkey'); // A key that rpm keeps among its packages.
}

/** The container's owner can make its rpm say anything: what is no package is refused, not guessed. */
function parseLine(instance: string, line: string): InstalledPackage {
  const [, name, epoch, version, release, arch] = LINE.exec(line) ?? [];
  if (name === undefined || version === undefined || release === undefined || arch === undefined)
    throw new DriverError('engine-failed', `packages: rpm in ${instance} printed no package list.`);
  return { name, epoch: Number(epoch), version, release, arch };
}
