/** What a log is copied to, by its URL. EventStoreDB's client is loaded only when it is opened. */
import type { CopyTarget, CopyTargetOptions } from '../eventstoredb/copy-target.ts';
import { isEventStoreDbUrl } from '../eventstoredb/url.ts';
import { type EventStore, EventStoreError } from '../port.ts';

export type { CopyOrigin, CopyTarget } from '../eventstoredb/copy-target.ts';

/**
 * Opens an EventStoreDB to copy a log to.
 *
 * @throws EventStoreError `invalid` for another URL, and where the target is not empty or holds another
 * copy; `unavailable` where nobody answers.
 */
export async function openCopyTarget(options: CopyTargetOptions): Promise<CopyTarget> {
  checkUrl(options.url);
  const target = await import('../eventstoredb/copy-target.ts');
  return target.openCopyTarget(options);
}

/**
 * Opens the log on an EventStoreDB, and writes nothing where there is none.
 *
 * @throws EventStoreError `invalid` for another URL, `unavailable` where nobody answers or no log is
 * there.
 */
export async function openExistingStore(options: {
  readonly url: string;
  /** For who reads homes. */
  readonly folder?: string;
}): Promise<EventStore> {
  checkUrl(options.url);
  const { openExisting } = await import('../eventstoredb/copy-target.ts');
  return openExisting(options);
}

function checkUrl(url: string): void {
  if (isEventStoreDbUrl(url)) return;
  throw new EventStoreError(
    'invalid',
    `${url.slice(0, url.indexOf(':') + 1) || url} names no EventStoreDB: expected esdb://user:password@host:2113`,
  );
}
