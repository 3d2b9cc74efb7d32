/**
 * What of a package transaction is so already, for every driver alike: rpm is asked for the rest, and
 * what is told afterwards is what was seen, not what was ordered.
 */
import type { PackageNameVersion, PackageTransaction } from '@bivouac/events/operations';

import type { InstalledPackage, TransactionReport } from './driver.ts';

/** What tells a package apart, without where it comes from. */
export function identityOf(one: InstalledPackage): InstalledPackage {
  const { name, epoch, version, release, arch } = one;
  return { name, epoch, version, release, arch };
}

export function nevra({ name, epoch, version, release, arch }: InstalledPackage): string {
  return `${name}-${epoch}:${version}-${release}.${arch}`;
}

/** What is to come and is not there, what is to go and is there. */
export function leftOf(
  { install, upgrade, remove }: PackageTransaction,
  installed: readonly InstalledPackage[],
): { readonly coming: readonly PackageNameVersion[]; readonly going: readonly InstalledPackage[] } {
  const there = new Set(installed.map(nevra));
  return {
    coming: [...install, ...upgrade].filter((one) => !there.has(nevra(one))),
    going: remove.filter((one) => there.has(nevra(one))).map(identityOf),
  };
}

/** What a transaction has made of what was installed before, as it is seen after it. */
export function reportOf(
  { install, upgrade, remove }: PackageTransaction,
  before: readonly InstalledPackage[],
  after: readonly InstalledPackage[],
  said: Pick<TransactionReport, 'configFiles' | 'output'>,
): TransactionReport {
  const there = new Set(after.map(nevra));
  // Asked a second time, rpm has nothing to do: what was ordered and is so counts all the same.
  const gone = [...before, ...remove.map(identityOf)].filter((one) => !there.has(nevra(one)));
  return {
    configFiles: said.configFiles,
    output: said.output,
    added: [...install, ...upgrade].filter((one) => there.has(nevra(one))).map(identityOf),
    removed: [...new Map(gone.map((one) => [nevra(one), one])).values()],
  };
}
