/** Changing what is installed in a container: one rpm transaction, wholly or not at all. */
import { PackagesRequested } from '@bivouac/events/containers';
import {
  accept,
  canonicalText,
  type Decision,
  type DecideContext,
  refuse,
} from '@bivouac/events/language';
import type { PackageReport, PackageTransaction } from '@bivouac/events/operations';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import { held } from './held.ts';
import type { ContainerState } from './state.ts';

/** An event holds 64 KiB, and the transaction is in two of them. */
const MOST_BYTES = 48 * 1024;

/** Refused besides {@link admit}: CONTAINER_HELD, TRANSACTION_TOO_LARGE. */
export function changePackages(
  state: ContainerState,
  input: Asking & { readonly transaction: PackageTransaction },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { containerId, transaction, ref, notAfter } = input;
  const beginning = admit(state, input, 'packages', context);
  if ('answer' in beginning) return beginning.answer;
  if (state.holds.size > 0) return held(state, containerId);
  const bytes = canonicalText(transaction).length;
  if (bytes > MOST_BYTES) {
    return refuse(
      'TRANSACTION_TOO_LARGE',
      `The transaction takes ${bytes} bytes, at most ${MOST_BYTES} can be sent; change fewer packages at once.`,
      { details: { bytes, most: MOST_BYTES } },
    );
  }
  const events = [...beginning.begin, PackagesRequested({ containerId, transaction, ask: ref })];
  if (state.instruction !== undefined) events.push(accepted(input, 'containers.packages'));
  return accept(...follow(state, events, context, { notAfter }));
}

/** The report as it fits into an event: names without where they came from, as many as fit. */
export function fitting(report: PackageReport): PackageReport {
  const bare = (list: PackageReport['added']): PackageReport['added'] =>
    list.map(({ name, epoch, version, release, arch }) => ({
      name,
      epoch,
      version,
      release,
      arch,
    }));
  let most = Number.POSITIVE_INFINITY;
  for (;;) {
    const some = {
      ...report,
      added: bare(report.added).slice(0, most),
      removed: bare(report.removed).slice(0, most),
      configFiles: report.configFiles.slice(0, most),
    };
    if (canonicalText(some).length <= MOST_BYTES) return some;
    most = Math.floor(Math.min(most, longest(some)) / 2);
  }
}

function longest({ added, removed, configFiles }: PackageReport): number {
  return Math.max(added.length, removed.length, configFiles.length);
}
