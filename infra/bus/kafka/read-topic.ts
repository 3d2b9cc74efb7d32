/**
 * Reads a topic to the end it has now, all of it or the last message of each partition, without a trace
 * in any group: for whoever compares it with the log.
 */
import type { Admin, Kafka } from 'kafkajs';

import { systemClock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { type FetchedMessage, membersOf } from './member.ts';
import { Session } from './session.ts';
import { boundsOf } from './starts.ts';

export interface TopicMessage {
  readonly partition: number;
  readonly message: FetchedMessage;
}

interface ReadTopic {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly topic: string;
}

/**
 * Calls `take` for every message, in order within each partition.
 *
 * @throws what the client throws.
 */
export function readWholeTopic(read: ReadTopic, take: (read: TopicMessage) => void): Promise<void> {
  return readTo(read, ({ low }) => BigInt(low), take);
}

/** The last message of each partition that has one. Throws what the client throws. */
export async function readLastMessages(read: ReadTopic): Promise<readonly TopicMessage[]> {
  const lasts: TopicMessage[] = [];
  await readTo(
    read,
    ({ low, high }) => (BigInt(low) < BigInt(high) ? BigInt(high) - 1n : BigInt(low)),
    (message) => void lasts.push(message),
  );
  return lasts;
}

/** Reads from an offset of each partition to its end. */
async function readTo(
  { kafka, admin, topic }: ReadTopic,
  from: (bounds: { readonly low: string; readonly high: string }) => bigint,
  take: (read: TopicMessage) => void,
): Promise<void> {
  const bounds = await boundsOf(admin, topic);
  /** By partition, the offset to read up to; those read or empty are not in it. */
  const left = new Map(
    bounds.flatMap(({ partition, low, high }) =>
      BigInt(low) < BigInt(high) ? [[partition, BigInt(high)] as const] : [],
    ),
  );
  if (left.size === 0) return;
  let done: () => void = () => undefined;
  const whole = new Promise<void>((resolve) => (done = resolve));
  const groupId = `bivouac.reader.${crypto.randomUUID()}`;
  const session = await Session.start({
    newMember: membersOf(kafka),
    topic,
    groupId,
    network: systemClock,
    joined: (joined, partitions) => {
      for (const each of bounds) {
        if (!partitions.includes(each.partition)) continue;
        joined.seek(each.partition, from(each).toString());
      }
    },
    batch: (batch) => {
      for (const message of batch.messages) {
        const end = left.get(batch.partition);
        if (end === undefined) break;
        if (BigInt(message.offset) < end) take({ partition: batch.partition, message });
        if (BigInt(message.offset) + 1n >= end) left.delete(batch.partition);
      }
      const last = batch.messages.at(-1);
      if (last !== undefined) batch.resolve(last.offset);
      if (left.size === 0) done();
    },
  });
  const died = await Promise.race([
    whole.then(() => undefined),
    session.died.then((error) => ({ error })),
  ]);
  await session.close();
  if (died !== undefined) {
    throw new RuntimeError('unavailable', `${topic} could not be read to its end`, {
      cause: died.error,
    });
  }
  await admin.deleteGroups([groupId]).catch(() => undefined);
}
