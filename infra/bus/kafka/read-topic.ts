/**
 * Reads a topic from its oldest message to the end it has now, without a trace in any group: for
 * whoever compares it with the log.
 */
import type { Admin, Kafka, KafkaMessage } from 'kafkajs';

import { systemClock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { Session } from './session.ts';
import { boundsOf } from './starts.ts';

export interface TopicMessage {
  readonly partition: number;
  readonly message: KafkaMessage;
}

/**
 * Calls `take` for every message, in order within each partition.
 *
 * @throws what the client throws.
 */
export async function readWholeTopic(
  { kafka, admin, topic }: { readonly kafka: Kafka; readonly admin: Admin; readonly topic: string },
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
    kafka,
    topic,
    groupId,
    network: systemClock,
    joined: () => undefined,
    batch: ({ batch, resolveOffset }) => {
      for (const message of batch.messages) {
        const end = left.get(batch.partition);
        if (end === undefined) break;
        if (BigInt(message.offset) < end) take({ partition: batch.partition, message });
        if (BigInt(message.offset) + 1n >= end) left.delete(batch.partition);
      }
      const last = batch.messages.at(-1);
      if (last !== undefined) resolveOffset(last.offset);
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
