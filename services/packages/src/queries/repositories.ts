/** Reading repositories, what they offer, and what of it is newer than what a container has. */
import { mayRead } from '@bivouac/events/language';
import { type Package, repositoryEvents } from '@bivouac/events/packages';
import { changesOf, historyOf, type QueryContext, queryHandler } from '@bivouac/infra/runtime';
import { pageOf, type View } from '@bivouac/infra/views';

import {
  type OfferedPackage,
  PackagesOfRepository,
  PackagesWithFile,
  Repositories,
  RepositoryById,
  RepositoryChanges,
  RepositoryHistory,
  type RepositoryView,
  UpdatesOfContainer,
} from '../api/index.ts';
import { evrText } from '../domain/evr.ts';
import { inventoryMissing } from '../domain/inventory.ts';
import { applied, ordered } from '../domain/package-list.ts';
import { isFor, repositoryStream } from '../domain/repository.ts';
import type { RepositoryPackage } from '../domain/repository-package.ts';
import { successors } from '../domain/solver/transaction.ts';
import { Universe } from '../domain/solver/universe.ts';
import { listOf } from '../lists.ts';
import { type InForce, isOffers, offersOf, snapshotMissing } from '../offers.ts';
import { differencesOf, inventories } from '../projections/inventories.ts';
import { repositories, type RepositoryRow } from '../projections/repositories.ts';
import { snapshotOf } from '../snapshots.ts';
import { listPage, viewOf } from './list-page.ts';

export const repositoryById = queryHandler(RepositoryById, (view, { repositoryId }, context) => {
  const row = view.get(repositories, repositoryId);
  return row === undefined ? null : shown(row, context);
});

export const repositoryList = queryHandler(Repositories, (view, { enabled, page }, context) => {
  const rows = pageOf(
    view,
    repositories,
    'byPosition',
    [],
    page,
    (row) => enabled === undefined || row.enabled === enabled,
  );
  return {
    ...rows,
    items: rows.items.map(({ cursor, node }) => ({ cursor, node: shown(node, context) })),
  };
});

export const repositoryHistory = queryHandler(
  RepositoryHistory,
  async (view, { repositoryId, page }, context) =>
    view.get(repositories, repositoryId) === undefined
      ? null
      : historyOf(context, repositoryStream(repositoryId), repositoryEvents, page),
);

export const repositoryChanges = queryHandler(
  RepositoryChanges,
  async (view, { repositoryId, page }, context) =>
    view.get(repositories, repositoryId) === undefined
      ? null
      : { ...(await changesOf(context, repositoryStream(repositoryId), page)), over: false },
);

export const packagesOfRepository = queryHandler(
  PackagesOfRepository,
  async (view, { repositoryId, namePrefix = '', arch, page }, context) => {
    const row = view.get(repositories, repositoryId);
    if (row === undefined) return null;
    if (row.snapshot === null) return listPage([], page, asOffered);
    const index = await snapshotOf(row.snapshot.digest, context.ports.blobs);
    if (index === undefined) return snapshotMissing(row.name, row.snapshot.digest);
    const list = index.packages.filter(
      (one) => one.name.startsWith(namePrefix) && (arch === undefined || one.arch === arch),
    );
    return listPage(list, page, asOffered);
  },
);

export const packagesWithFile = queryHandler(
  PackagesWithFile,
  async (view, { path, page }, context) => {
    const offers = await offersOf(inForce(view), context.ports.blobs);
    if (!isOffers(offers)) return offers;
    const newest = new Map<string, RepositoryPackage>();
    for (const { index } of offers) {
      const owners = index.providing(path).flatMap(({ offer }) => offer ?? []);
      for (const one of ordered(owners.filter(({ files }) => files.includes(path)))) {
        const known = newest.get(one.name);
        newest.set(one.name, known === undefined ? one : (ordered([known, one])[1] ?? one));
      }
    }
    return listPage(ordered([...newest.values()]), page, asOffered);
  },
);

export const updatesOfContainer = queryHandler(
  UpdatesOfContainer,
  async (view, { containerId, page }, context) => {
    const row = view.get(inventories, containerId);
    if (row === undefined || !context.reaches(row.tenantId)) return null;
    // All rows are read before the first wait: the view may move on meanwhile.
    const rows = differencesOf(view, containerId);
    const enabled = inForce(view, (one) => isFor(one, row.image));
    const base = await listOf(row.base, context.ports.blobs);
    if (base === undefined) return inventoryMissing(row.base);
    const offers = await offersOf(enabled, context.ports.blobs);
    if (!isOffers(offers)) return offers;
    const list = applied(base, {
      added: rows.flatMap((difference) => difference.added),
      removed: rows.flatMap((difference) => difference.removed),
    });
    const universe = new Universe(list, offers);
    const updates = new Map<Package, { available: OfferedPackage; repository: string }>();
    for (const one of universe.installed) {
      const [best] = successors(universe, one);
      const repository = best === undefined ? undefined : universe.repositoryOf(best);
      if (best?.offer === undefined || repository === undefined) continue;
      updates.set(one.package, { available: asOffered(best.offer), repository });
    }
    const found = listPage(ordered([...updates.keys()]), page, (one) => one);
    return {
      ...found,
      items: found.items.flatMap(({ cursor, node }) => {
        const update = updates.get(node);
        return update === undefined
          ? []
          : [{ cursor, node: { installed: viewOf(node), ...update } }];
      }),
    };
  },
);

/** Enabled repositories that have been read. */
export function inForce(
  view: View,
  wanted: (row: RepositoryRow) => boolean = () => true,
): readonly InForce[] {
  return allRepositories(view)
    .filter(wanted)
    .flatMap(({ name, arch, enabled, snapshot }) =>
      enabled && snapshot !== null ? [{ name, arch, snapshot: snapshot.digest }] : [],
    );
}

/** All rows: repositories are few. */
export function allRepositories(view: View): readonly RepositoryRow[] {
  return view.range(repositories, 'byPosition', [], { limit: MOST }).map(({ row }) => row);
}

const MOST = 1000;

function shown(
  { position: _position, ...row }: RepositoryRow,
  context: QueryContext,
): RepositoryView {
  const { audience } = context.principal;
  return { ...row, baseUrl: mayRead(audience, 'staff') ? row.baseUrl : null };
}

function asOffered(one: RepositoryPackage): OfferedPackage {
  const { name, epoch, version, release, arch, summary } = one;
  return {
    ...{ name, epoch, version, release, arch, evr: evrText(one) },
    ...(summary === undefined ? {} : { summary }),
    size: String(one.size),
    installedSize: String(one.installedSize),
  };
}
