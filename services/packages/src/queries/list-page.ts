/** One page of a package list. Cursors name a package, so that they stay put when the list changes. */
import type { PageArgs } from '@bivouac/events/language';
import { PackageSchema, type Package } from '@bivouac/events/packages';
import { BadCursorError } from '@bivouac/infra/views';

import type { PackageView } from '../api/queries.ts';
import { evrText } from '../domain/evr.ts';
import { comparePackages } from '../domain/package-list.ts';

export interface ListPage<N> {
  readonly items: { readonly cursor: string; readonly node: N }[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  readonly total: number;
}

/** A page of an ordered list, each package as `view` shows it. */
export function listPage<P extends Package, N>(
  list: readonly P[],
  request: PageArgs,
  view: (one: P) => N,
): ListPage<N> {
  const after = packageAt('after', request.after);
  const before = packageAt('before', request.before);
  const within = list.filter(
    (one) =>
      (after === undefined || comparePackages(one, after) > 0) &&
      (before === undefined || comparePackages(one, before) < 0),
  );
  const items = request.reverse ? within.slice(-request.limit) : within.slice(0, request.limit);
  const more = within.length > items.length;
  return {
    items: items.map((one) => ({ cursor: cursorOf(one), node: view(one) })),
    hasNext: request.reverse ? request.before !== undefined : more,
    hasPrevious: request.reverse ? more : request.after !== undefined,
    total: list.length,
  };
}

/** A package with its EVR as text. */
export function viewOf(one: Package): PackageView {
  return { ...one, evr: evrText(one) };
}

function cursorOf({ name, epoch, version, release, arch }: Package): string {
  return Buffer.from(JSON.stringify({ name, epoch, version, release, arch })).toString('base64url');
}

function packageAt(option: 'after' | 'before', cursor: string | undefined): Package | undefined {
  if (cursor === undefined) return undefined;
  try {
    return PackageSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    throw new BadCursorError(option, cursor, 'is no cursor');
  }
}
