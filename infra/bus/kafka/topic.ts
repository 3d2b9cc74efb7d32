/** The topic of a log: made with the settings that order and repair rest on, and checked for them. */
import type { Admin } from 'kafkajs';
import { z } from 'zod';

import type { Clock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { PARTITIONS } from '../port.ts';
import { codeOf, type KafkaLogger } from './client.ts';
import { isUnsettled, NotAgreedError, patiently } from './patience.ts';

/** Largest batch of messages, with what the protocol adds: far more than one event can be. */
export const MAX_BATCH_BYTES = 1_048_588;

/** How long the topic keeps messages. What a slower consumer misses it reads from the store. */
const RETENTION_MILLISECONDS = 3 * 24 * 60 * 60 * 1000;

/** The protocol's number for a topic; what the client names it is not among its ES exports. */
const TOPIC_RESOURCE = 2;

/** The topic of a log's epoch: another history is another topic. */
export function topicOf(epoch: string): string {
  return `bivouac.events.${epoch}`;
}

export interface TopicOptions {
  readonly topic: string;
  readonly replication: number | undefined;
  readonly logger: KafkaLogger;
  /** The network's time. */
  readonly network: Clock;
}

/**
 * Makes the topic if it is missing, and checks the one that is there.
 *
 * @throws RuntimeError `misconfigured` for a topic of another shape.
 */
export async function ensureTopic(admin: Admin, options: TopicOptions): Promise<void> {
  const { topic, logger } = options;
  const { brokers } = await admin.describeCluster();
  const replicationFactor = options.replication ?? Math.min(3, brokers.length);
  const made = await admin
    .createTopics({
      topics: [
        {
          topic,
          numPartitions: PARTITIONS,
          replicationFactor,
          configEntries: [
            // A copy may be away without stopping the relay; fewer than this must not acknowledge.
            { name: 'min.insync.replicas', value: String(Math.max(1, replicationFactor - 1)) },
            { name: 'unclean.leader.election.enable', value: 'false' },
            { name: 'cleanup.policy', value: 'delete' },
            { name: 'retention.ms', value: String(RETENTION_MILLISECONDS) },
            { name: 'max.message.bytes', value: String(MAX_BATCH_BYTES) },
            // Recorded times may jump; how long a message is kept must not depend on them.
            { name: 'message.timestamp.type', value: 'LogAppendTime' },
          ],
        },
      ],
      // The client's own waiting fails where a broker has not heard of the topic yet.
      waitForLeaders: false,
    })
    .catch((error: unknown) => {
      // Another process was quicker.
      if (codeOf(error) === 'TOPIC_ALREADY_EXISTS') return false;
      throw error;
    });
  if (made) logger.info({ topic, partitions: PARTITIONS, replicationFactor }, 'the topic was made');
  await checkTopic(admin, options);
}

async function checkTopic(admin: Admin, { topic, network }: TopicOptions): Promise<void> {
  const partitions = await leaders(admin, topic, network);
  if (partitions !== PARTITIONS) {
    throw shape(
      topic,
      `has ${partitions} partitions, not ${PARTITIONS}: homes would change theirs`,
    );
  }
  const described = await patiently(network, () =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        {
          type: TOPIC_RESOURCE,
          name: topic,
          configNames: ['cleanup.policy', 'max.message.bytes'],
        },
      ],
    }),
  );
  const { resources } = DescribedSchema.parse(described);
  const entries = resources.flatMap(({ configEntries }) => configEntries);
  for (const { configName, configValue } of entries) {
    if (configName === 'cleanup.policy' && configValue !== 'delete') {
      throw shape(
        topic,
        `has cleanup.policy ${configValue}: compaction would lose all events but the last of each home`,
      );
    }
    if (configName === 'max.message.bytes' && Number(configValue) < MAX_BATCH_BYTES) {
      throw shape(
        topic,
        `has max.message.bytes ${configValue}, at least ${MAX_BATCH_BYTES} is needed`,
      );
    }
  }
}

/** Waits until every partition has a leader, so that the first message finds one; answers how many. */
function leaders(admin: Admin, topic: string, network: Clock): Promise<number> {
  return patiently(
    network,
    async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0)) {
        throw new NotAgreedError(`partitions of ${topic} have no leader`);
      }
      return partitions.length;
    },
    (error) => error instanceof NotAgreedError || isUnsettled(error),
  );
}

const DescribedSchema = z.object({
  resources: z.array(
    z.object({
      configEntries: z.array(z.object({ configName: z.string(), configValue: z.string() })),
    }),
  ),
});

function shape(topic: string, what: string): RuntimeError {
  return new RuntimeError(
    'misconfigured',
    `The topic ${topic} ${what}. Change it, or delete it: it is made again, and what it held is read from the log`,
  );
}
