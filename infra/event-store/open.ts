/** The event store that a URL names. */
import { openEmbeddedStore } from './embedded/store.ts';
import { isEventStoreDbUrl } from './eventstoredb/url.ts';
import { type EventStore, EventStoreError } from './port.ts';

export interface OpenEventStoreOptions {
  /** `sqlite:<folder>`, `esdb://user:password@host:2113` or `esdb+discover://…`. */
  readonly url: string;
  /** A folder of this process alone for what can be made again from the log: the index of homes. */
  readonly folder: string;
  /** Called once: the embedded log has failed and the process should end. */
  readonly onFailure?: (error: EventStoreError) => void;
  /** As much of a pino logger as is used here. */
  readonly logger?: { warn(fields: object, message: string): void };
}

/**
 * Opens it. EventStoreDB's client is loaded only for a URL of it.
 *
 * @throws EventStoreError `invalid` where there is none for the URL, and as the store itself says.
 */
export async function openEventStore(options: OpenEventStoreOptions): Promise<EventStore> {
  const { url, folder, onFailure, logger } = options;
  if (url.startsWith('sqlite:')) {
    return openEmbeddedStore({
      folder: url.slice('sqlite:'.length),
      ...(onFailure !== undefined && { onFailure }),
    });
  }
  if (isEventStoreDbUrl(url)) {
    const { openEventStoreDb } = await import('./eventstoredb/store.ts');
    return openEventStoreDb({ url, folder, ...(logger !== undefined && { logger }) });
  }
  throw new EventStoreError(
    'invalid',
    `url: there is no event store for ${url.slice(0, url.indexOf(':') + 1)}; set EVENT_STORE_URL to ` +
      'sqlite:<folder> or esdb://user:password@host:2113',
  );
}
