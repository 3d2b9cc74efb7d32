/** The log that all processes share, with a folder for what the client of it keeps here. */
import { join } from 'node:path';

import { type EventStore, measuredStore, openEventStore } from '../event-store/index.ts';
import type { Config, Logger, Metrics } from '../runtime/index.ts';
import type { Closing } from './closing.ts';
import { writableFolder } from './folder.ts';

/** Opens it; it is closed with the rest of the process. `folder`: of this process alone. */
export async function openLog(
  config: Pick<Config, 'EVENT_STORE_URL'>,
  folder: string,
  {
    metrics,
    ...how
  }: {
    readonly logger: Logger;
    readonly onFailure: (error: unknown) => void;
    readonly metrics: Metrics;
  },
  closing: Closing,
): Promise<EventStore> {
  const local = join(folder, 'log');
  await writableFolder(local, 'DATA_DIR');
  const store = await openEventStore({ url: config.EVENT_STORE_URL, folder: local, ...how });
  closing.add(() => store.close());
  return measuredStore(store, metrics);
}
