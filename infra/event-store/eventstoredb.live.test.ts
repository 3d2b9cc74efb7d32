// The EventStoreDB adapter keeps the contract on an installed server: the one that EVENT_STORE_URL
// names. Each law wants an empty log, so EVENT_STORE_RESET is a shell command that empties the server,
// for instance `docker restart esdb` of one that keeps its log in memory (EVENTSTORE_MEM_DB=true).
// Everything on that server is lost.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { eventStoreContract } from './contract.ts';
import { openEventStoreDb } from './eventstoredb/store.ts';
import type { EventStore } from './port.ts';

const url = process.env['EVENT_STORE_URL'];
const reset = process.env['EVENT_STORE_RESET'];

if (url === undefined || reset === undefined || !url.startsWith('esdb')) {
  test('an EventStoreDB is given', () => {
    const missing =
      'No EventStoreDB was given: set EVENT_STORE_URL to one, and EVENT_STORE_RESET to what empties it.';
    process.stderr.write(`${missing}\n`);
    expect(missing).toContain('EVENT_STORE_URL');
  });
} else {
  eventStoreContract('EventStoreDB', async () => {
    execFileSync('sh', ['-c', reset], { stdio: 'ignore' });
    const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-esdb-'));
    const opened: EventStore[] = [];
    const open = async (): Promise<EventStore> => {
      const store = await openEventStoreDb({
        url,
        folder: path.join(folder, `client-${opened.length}`),
        // A server that was emptied takes its time to be there again.
        patience: { attempts: 12 },
      });
      opened.push(store);
      return store;
    };
    return {
      store: await open(),
      again: open,
      dispose: async () => {
        for (const each of opened) await each.close();
        rmSync(folder, { recursive: true });
      },
    };
  });
}
