// The embedded event store keeps the contract, on files and with its worker.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventStoreContract } from './contract.ts';
import { openEmbeddedStore } from './embedded/store.ts';

eventStoreContract('embedded', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-log-'));
  let store = await openEmbeddedStore({ folder });
  return {
    store,
    again: async () => {
      await store.close();
      store = await openEmbeddedStore({ folder });
      return store;
    },
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
