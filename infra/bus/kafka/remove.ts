/** Takes away the topic of a log that is not gone on with: one of a test, or of a demo. */
import { RuntimeError } from '../../runtime/errors.ts';
import { codeOf, kafkaClient, kafkaError, type KafkaLogger, kafkaSettings } from './client.ts';
import { topicOf } from './topic.ts';

/** Deletes it, if it is there. Consumers would read what it held from the log. */
export async function removeTopic(options: {
  readonly url: string;
  readonly epoch: string;
  readonly logger: KafkaLogger;
}): Promise<void> {
  const settings = kafkaSettings(options.url);
  const kafka = await kafkaClient({ settings, logger: options.logger });
  const admin = kafka.admin();
  const topic = topicOf(options.epoch);
  try {
    await admin.connect();
    await admin.deleteTopics({ topics: [topic] });
  } catch (error) {
    // Another has deleted it, or there never was one.
    if (codeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return;
    throw error instanceof RuntimeError ? error : kafkaError(`${topic} cannot be deleted`, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
