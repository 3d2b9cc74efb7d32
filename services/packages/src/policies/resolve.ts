/**
 * Answers which exact transaction does what was ordered: from the container's inventory and the
 * snapshots in force, each read at its stream's present end.
 */
import { canonicalText, refuse } from '@bivouac/events/language';
import type { PackageNameVersion, PackageTransaction } from '@bivouac/events/operations';
import type { Package } from '@bivouac/events/packages';
import { type PolicyContext, responder } from '@bivouac/infra/runtime';

import { inventory, repository } from '../aggregates.ts';
import { inventoryMissing, inventoryStream } from '../domain/inventory.ts';
import { applied } from '../domain/package-list.ts';
import { isFor, type Repository, repositoryStream } from '../domain/repository.ts';
import { type Coming, resolve } from '../domain/solver/transaction.ts';
import { Universe } from '../domain/solver/universe.ts';
import { listOf } from '../lists.ts';
import { isOffers, offersOf } from '../offers.ts';
import { allRepositories } from '../queries/repositories.ts';
import { withSlash } from '../repodata/read-repository.ts';

/** As many as a transaction has room for, of each kind. */
const MOST_PACKAGES = 200;
/** The transaction is carried by events of 64 KiB. */
const MOST_BYTES = 48 * 1024;

const nothing: PackageTransaction = { install: [], upgrade: [], remove: [] };

export const answerResolve = responder('packages.resolve', {
  act: async ({ containerId, action, packages }, context) => {
    // Nothing changes, and the node tells what is installed.
    if (action === 'refresh') return { outcome: 'done', result: { transaction: nothing } };
    const installed = await installedIn(containerId, context);
    if ('kind' in installed) return { outcome: 'refused', refusal: installed.refusal };
    const inForce = await repositoriesFor(installed.image, context);
    const offers = await offersOf(
      inForce.flatMap(({ name, arch, snapshot }) =>
        snapshot === undefined ? [] : [{ name, arch, snapshot: snapshot.snapshot }],
      ),
      context.ports.blobs,
    );
    if (!isOffers(offers)) return { outcome: 'refused', refusal: offers.refusal };
    const resolved = resolve(new Universe(installed.packages, offers), { action, packages });
    if (resolved.kind === 'refused') return { outcome: 'refused', refusal: resolved.refusal };
    const bases = new Map(inForce.map(({ name, baseUrl }) => [name, withSlash(baseUrl)]));
    const transaction: PackageTransaction = {
      install: resolved.install.map((coming) => fetched(coming, bases)),
      upgrade: resolved.upgrade.map((coming) => fetched(coming, bases)),
      remove: resolved.remove.map(named),
    };
    const tooLarge = refusalOfSize(transaction);
    return tooLarge === undefined
      ? { outcome: 'done', result: { transaction } }
      : { outcome: 'refused', refusal: tooLarge.refusal };
  },
});

async function installedIn(
  containerId: string,
  context: PolicyContext,
): Promise<
  | { readonly packages: readonly Package[]; readonly image: string | undefined }
  | ReturnType<typeof refuse>
> {
  const { state } = await context.load(inventory, inventoryStream(containerId));
  if (state.container === undefined || state.container.ended) {
    return refuse(
      'INVENTORY_UNKNOWN',
      `${containerId} has no inventory; it begins when the container first runs.`,
      { path: ['input', 'containerId'] },
    );
  }
  const { base, difference, image } = state.container;
  const list = await listOf(base, context.ports.blobs);
  return list === undefined
    ? inventoryMissing(base)
    : { packages: applied(list, difference), image };
}

/** Which there are is looked up; what each is now, its own stream says. */
async function repositoriesFor(
  image: string | undefined,
  context: PolicyContext,
): Promise<readonly Repository[]> {
  const { value: rows } = await context.candidates(allRepositories);
  const found: Repository[] = [];
  for (const { id } of rows) {
    const { state } = await context.load(repository, repositoryStream(id));
    const offers = state?.enabled === true && state.snapshot !== undefined;
    if (offers && isFor(state, image)) found.push(state);
  }
  return found;
}

function named({ name, epoch, version, release, arch }: Package): PackageNameVersion {
  return { name, epoch, version, release, arch };
}

function fetched(coming: Coming, bases: ReadonlyMap<string, string>): PackageNameVersion {
  const { location, checksum } = coming.package;
  const url = new URL(location, bases.get(coming.repository)).href;
  return { ...named(coming.package), url, checksum };
}

function refusalOfSize(transaction: PackageTransaction): ReturnType<typeof refuse> | undefined {
  const { install, upgrade, remove } = transaction;
  const most = Math.max(install.length, upgrade.length, remove.length);
  const bytes = canonicalText(transaction).length;
  if (most <= MOST_PACKAGES && bytes <= MOST_BYTES) return undefined;
  return refuse(
    'TRANSACTION_TOO_LARGE',
    `The transaction would change ${install.length + upgrade.length + remove.length} packages (${bytes} bytes), at most ${MOST_PACKAGES} and ${MOST_BYTES} bytes can be sent; change fewer packages at once.`,
    { path: ['input', 'packages'], details: { bytes, most: MOST_BYTES } },
  );
}
