/** The Kafka of the live tests: BUS_URL, or what `infra/dev/up kafka` starts. */
import { connect } from 'node:net';

/** With one copy of each topic: a test's is gone in minutes. */
export const busUrl = process.env['BUS_URL'] ?? 'kafka://127.0.0.1:9092?replication=1';

/** Whether it answers. Where it does not: says how to start it, and fails where nothing may be missing. */
export async function kafkaIsThere(): Promise<boolean> {
  const [host = '', port = ''] = (/^kafka:\/\/([^,/?]+)/.exec(busUrl)?.[1] ?? '').split(':');
  const socket = connect({ host, port: Number(port) });
  const there = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
  if (there) return true;
  const missing = `Kafka was not reached at ${host}:${port}: run infra/dev/up kafka.`;
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(missing);
  return false;
}
