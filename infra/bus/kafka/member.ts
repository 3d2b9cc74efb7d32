/** One member of a consumer group, by the client: what a session needs of it, in words of its own. */
import type { Kafka } from 'kafkajs';

import type { Incoming } from './message.ts';

/** Milliseconds without a sign of life until the group gives a member's partitions to others. */
const SESSION_TIMEOUT = 10_000;
const HEARTBEAT_INTERVAL = 2000;
/** Milliseconds that members have to come together again; nothing here holds a member up. */
const REBALANCE_TIMEOUT = 20_000;
/** Milliseconds a fetch waits for something new. */
const FETCH_WAIT = 500;
/** Bytes of one fetch: in all, and of a partition. */
const FETCH_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 256 * 1024;

export interface Member {
  /** Resolves when it has joined or crashed. Throws what keeps it from connecting. */
  join(): Promise<void>;
  pause(partitions: readonly number[]): void;
  resume(partitions: readonly number[]): void;
  /** The next message read of a partition. */
  seek(partition: number, offset: string): void;
  /** Throws where they were not committed. */
  commit(offsets: readonly CommittedOffset[]): Promise<void>;
  leave(): Promise<void>;
}

export interface CommittedOffset {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

/** What a member tells, from when it joins. */
export interface MemberEvents {
  /** These partitions are its own now: all of them, after each coming together. */
  readonly joined: (partitions: readonly number[], memberId: string) => void;
  readonly fetched: () => void;
  /** It has died and does nothing more. */
  readonly crashed: (error: unknown) => void;
  /** Returns at once: a fetch waits for it, and heartbeats for a fetch. */
  readonly batch: (batch: Fetched) => void;
}

export interface FetchedMessage extends Incoming {
  readonly key: Buffer | null;
  readonly offset: string;
}

/** Messages of one partition, as they were fetched. */
export interface Fetched {
  readonly partition: number;
  readonly messages: readonly FetchedMessage[];
  /** The partition was paused, sought or taken away meanwhile. */
  isStale(): boolean;
  /** Up to this offset nothing is to be fetched again. */
  resolve(offset: string): void;
}

/** Makes a member of a group; it joins when it is told to. */
export type NewMember = (
  group: { readonly topic: string; readonly groupId: string },
  events: MemberEvents,
) => Member;

/** Members by a client of these brokers. */
export function membersOf(kafka: Kafka): NewMember {
  return ({ topic, groupId }, events) => {
    const consumer = kafka.consumer({
      groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_TIMEOUT,
      heartbeatInterval: HEARTBEAT_INTERVAL,
      rebalanceTimeout: REBALANCE_TIMEOUT,
      maxWaitTimeInMs: FETCH_WAIT,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: PARTITION_BYTES,
      // Given whole: the client's defaults would be taken for what is left out.
      retry: {
        retries: 3,
        initialRetryTime: 100,
        maxRetryTime: 1000,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
    const { GROUP_JOIN, CRASH, FETCH } = consumer.events;
    const of = (partitions: readonly number[]) => [{ topic, partitions: [...partitions] }];
    return {
      join: async () => {
        consumer.on(GROUP_JOIN, ({ payload }) => {
          events.joined(payload.memberAssignment[topic] ?? [], payload.memberId);
        });
        consumer.on(FETCH, () => {
          events.fetched();
        });
        consumer.on(CRASH, ({ payload }) => {
          events.crashed(payload.error);
        });
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: (payload) => {
            const { partition, messages } = payload.batch;
            events.batch({
              ...{ partition, messages },
              isStale: () => payload.isStale(),
              resolve: (offset) => {
                payload.resolveOffset(offset);
              },
            });
            return Promise.resolve();
          },
        });
      },
      pause: (partitions) => {
        consumer.pause(of(partitions));
      },
      resume: (partitions) => {
        consumer.resume(of(partitions));
      },
      seek: (partition, offset) => {
        consumer.seek({ topic, partition, offset });
      },
      commit: (offsets) => consumer.commitOffsets(offsets.map((each) => ({ topic, ...each }))),
      leave: () => consumer.disconnect(),
    };
  };
}
