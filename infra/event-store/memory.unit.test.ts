// The event store in memory keeps the contract.
import { eventStoreContract } from './contract.ts';
import { memoryEventStore } from './memory.ts';

eventStoreContract('memory', async () => {
  const store = memoryEventStore();
  return { store, again: async () => store, dispose: () => store.close() };
});
