// The whole log by the bare client, read once from its start. Says `read` when it has reached the end
// and had no fewer events than it was told there are; then waits for SIGTERM.
import { EventStoreDBClient, START } from '@eventstore/db-client';

const { EVENT_STORE_URL = '', EVENTS = '' } = process.env;
const log = EventStoreDBClient.connectionString(EVENT_STORE_URL);
let count = 0;
for await (const _ of log.readAll({ fromPosition: START, maxCount: Number.MAX_SAFE_INTEGER }))
  count += 1;
if (count < Number(EVENTS)) throw new Error(`${count} events were read of ${EVENTS}`);
process.once('SIGTERM', () => {
  process.exit(0);
});
setInterval(() => undefined, 60_000);
console.log('read');
