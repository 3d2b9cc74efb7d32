// The EventStoreDB adapter keeps the contract, through gRPC, against the development server: on the
// embedded log as it is used, and on one in memory whose positions have gaps, as a real server's.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serveEventStore } from '../../dev/eventstore/server.ts';
import { eventStoreContract, type LogUnderTest } from '../contract.ts';
import { openEmbeddedStore } from '../embedded/store.ts';
import { openEventStore } from '../open.ts';
import { memoryEventStore } from '../memory.ts';
import type { EventStore } from '../port.ts';

/** One server and a client of it; `again` is another process's client, with a folder of its own. */
async function underTest(log: EventStore, folder: string, stride: number): Promise<LogUnderTest> {
  const server = await serveEventStore({ store: log, stride });
  let clients = 0;
  const open = (): Promise<EventStore> => {
    clients += 1;
    return openEventStore({ url: server.url, folder: path.join(folder, `client-${clients}`) });
  };
  const opened = [await open()];
  const [store] = opened;
  if (store === undefined) throw new Error('not opened');
  return {
    store,
    again: async () => {
      const again = await open();
      opened.push(again);
      return again;
    },
    dispose: async () => {
      for (const each of opened) await each.close();
      await server.close();
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const newFolder = (): string => mkdtempSync(path.join(tmpdir(), 'bivouac-esdb-'));

eventStoreContract('EventStoreDB protocol on the embedded log', async () => {
  const folder = newFolder();
  const log = await openEmbeddedStore({ folder: path.join(folder, 'log') });
  return underTest(log, folder, 1);
});

eventStoreContract('EventStoreDB protocol on a log with gaps', () =>
  underTest(memoryEventStore(), newFolder(), 197),
);
