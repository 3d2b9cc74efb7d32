/**
 * Whether the log is the one that the topic was published from. A log restored from an older backup goes
 * on where it ends, and would put other events where the topic has some that were lost: reactions would
 * act on both.
 */
import { formatPosition, parsePosition } from '@bivouac/events/language';
import type { Admin, Kafka } from 'kafkajs';

import type { EventStore } from '../../event-store/port.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { furthestOf } from './message.ts';
import { readLastMessages } from './read-topic.ts';

export interface SameLogOptions {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly topic: string;
  readonly store: EventStore;
}

/**
 * Compares the furthest event that the ends of the topic speak of with the log's event there.
 *
 * @throws RuntimeError `misconfigured` where the log has another, or none.
 */
export async function checkSameLog({ store, topic, ...read }: SameLogOptions): Promise<void> {
  const lasts = await readLastMessages({ topic, ...read });
  const [furthest] = lasts
    .flatMap(({ message }) => furthestOf(message) ?? [])
    .sort((a, b) => (a.position < b.position ? 1 : -1));
  if (furthest === undefined) return;
  const { position, id } = furthest;
  const before = parsePosition(position) - 1n;
  const page = await store.readAll({
    limit: 1,
    ...(before > 0n && { after: formatPosition(before) }),
  });
  const there = page.events.find((event) => event.position === position);
  if (there?.id === id) return;
  throw new RuntimeError(
    'misconfigured',
    `The topic ${topic} was published from another log: it speaks of event ${id} at ${position}, where this ` +
      `log has ${there === undefined ? 'none' : `event ${there.id}`}. It was probably restored from an older ` +
      'backup. Delete the topic: it is made again, and consumers read from the log what they have not seen',
  );
}
