/** Takes away the topic of a log that is not gone on with: one of a test, or of a demo. */
import { RuntimeError } from '../../runtime/errors.ts';
import { kafkaClient, kafkaError, type KafkaLogger, kafkaSettings } from './client.ts';
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
    if (!(await admin.listTopics()).includes(topic)) return;
    await admin.deleteTopics({ topics: [topic] });
  } catch (error) {
    throw error instanceof RuntimeError ? error : kafkaError(`${topic} cannot be deleted`, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
