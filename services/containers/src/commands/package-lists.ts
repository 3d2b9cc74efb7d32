/** A node's package list is stored before an event names it. */
import { canonicalBytes, canonicalText } from '@bivouac/events/language';
import type { NodePackageReport } from '@bivouac/events/node';
import type { PackageReport } from '@bivouac/events/operations';
import type { EdgePorts } from '@bivouac/infra/runtime';

/**
 * The report with the list's digest in place of the list. Its owner can have a container's rpm say
 * anything: what it lists twice counts once, and the same packages are the same digest.
 */
export async function stored(
  { installed, ...report }: NodePackageReport,
  blobs: EdgePorts['blobs'],
): Promise<PackageReport> {
  const byText = new Map(
    installed.map(({ summary: _summary, ...one }) => [canonicalText(one), one]),
  );
  const list = [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return { ...report, inventory: await blobs.put(canonicalBytes(list)) };
}
