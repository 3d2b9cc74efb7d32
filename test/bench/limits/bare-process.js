// The least that a process of the system can be: Node with the clients of Kafka and of the log, each
// connected, until SIGTERM. Says `ready`.
import { EventStoreDBClient, START } from '@eventstore/db-client';
import { Kafka, logLevel } from 'kafkajs';

const { BUS_URL = '', EVENT_STORE_URL = '' } = process.env;
const brokers = BUS_URL.replace(/^kafka:\/\//, '')
  .replace(/\?.*$/, '')
  .split(',');
const log = EventStoreDBClient.connectionString(EVENT_STORE_URL);
for await (const _ of log.readAll({ fromPosition: START, maxCount: 1 }));
const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer();
await producer.connect();
process.once('SIGTERM', () => {
  process.exit(0);
});
// What waits for work has something that keeps it.
setInterval(() => undefined, 60_000);
console.log('ready');
