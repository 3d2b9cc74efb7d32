/**
 * The RPM database of a fake container: it takes what rpm would take as far as names and versions
 * tell, wholly or not at all. It reads no package file, but what is not there it cannot install.
 */
import type { PackageTransaction } from '@bivouac/events/operations';

import { DriverError, type InstalledPackage } from '../../driver.ts';
import { identityOf, leftOf, nevra } from '../../transaction.ts';

/** @throws {DriverError} `engine-failed` with what rpm would say; nothing has changed then. */
export function transacted(
  transaction: PackageTransaction,
  installed: readonly InstalledPackage[],
  files: ReadonlyMap<string, string>,
): readonly InstalledPackage[] {
  const { coming, going } = leftOf(transaction, installed);
  const there = new Set(installed.map(nevra));
  const replaced = new Set(going.map(nevra));
  for (const one of coming) {
    if (one.checksum === undefined || !files.has(one.checksum))
      throw rpmSays(`${nevra(one)}: the file is not there`);
    const others = installed.filter(({ name, arch }) => name === one.name && arch === one.arch);
    const isUpgrade = transaction.upgrade.includes(one);
    if (!isUpgrade && others.length > 0)
      throw rpmSays(`${nevra(one)}: another version is installed`);
    if (isUpgrade && !installed.some(({ name }) => name === one.name))
      throw rpmSays(`package ${one.name} is not installed`);
    if (isUpgrade)
      for (const other of installed)
        if (other.name === one.name && isSlot(other, one)) replaced.add(nevra(other));
  }
  for (const one of transaction.remove) {
    const another = installed.some(({ name, arch }) => name === one.name && arch === one.arch);
    if (!there.has(nevra(one)) && another) throw rpmSays(`package ${nevra(one)} is not installed`);
  }
  return [...installed.filter((one) => !replaced.has(nevra(one))), ...coming.map(identityOf)];
}

function isSlot(a: InstalledPackage, b: InstalledPackage): boolean {
  return a.arch === b.arch || a.arch === 'noarch' || b.arch === 'noarch';
}

function rpmSays(what: string): DriverError {
  return new DriverError('engine-failed', `transact: rpm says: ${what}.`);
}
