/** Package lists: their one order, what tells packages apart, and how lists differ. */
import type { Package } from '@bivouac/events/packages';

import { compareEvr, evrText, parseEvr, type Order } from './evr.ts';

/** Name, EVR and architecture: what tells installed packages apart. */
export function nevra(of: Package): string {
  return `${of.name}-${of.epoch}:${of.version}-${of.release}.${of.arch}`;
}

/** By name, then by EVR as rpm sorts, then by text where rpm sees no difference. */
export function comparePackages(a: Package, b: Package): Order {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  const order = compareEvr(parseEvr(evrText(a)), parseEvr(evrText(b)));
  if (order !== 0) return order;
  const [one, two] = [nevra(a), nevra(b)];
  return one < two ? -1 : one > two ? 1 : 0;
}

/** The list in its order: the same packages are the same bytes, and so the same digest. */
export function ordered<P extends Package>(packages: readonly P[]): P[] {
  return [...packages].sort(comparePackages);
}

/** Where a package stands that is listed before already, or undefined. */
export function twice(packages: readonly Package[]): number | undefined {
  const seen = new Set<string>();
  for (const [index, one] of packages.entries()) {
    const key = nevra(one);
    if (seen.has(key)) return index;
    seen.add(key);
  }
  return undefined;
}

export interface Difference {
  readonly added: Package[];
  readonly removed: Package[];
}

/** What must be added to and removed from `base` to have `packages`; both in list order. */
export function differenceOf(base: readonly Package[], packages: readonly Package[]): Difference {
  const [before, after] = [keysOf(base), keysOf(packages)];
  return {
    added: ordered(packages.filter((one) => !before.has(nevra(one)))),
    removed: ordered(base.filter((one) => !after.has(nevra(one)))),
  };
}

/** The list that a difference makes of its base. */
export function applied(base: readonly Package[], { added, removed }: Difference): Package[] {
  const gone = keysOf(removed);
  return ordered([...base.filter((one) => !gone.has(nevra(one))), ...added]);
}

function keysOf(packages: readonly Package[]): ReadonlySet<string> {
  return new Set(packages.map(nevra));
}
