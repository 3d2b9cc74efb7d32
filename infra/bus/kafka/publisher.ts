/**
 * Gets batches onto the topic, one at a time, each until it is acknowledged by every copy that is in
 * sync. After any failure the producer is thrown away and the whole batch is sent again by a new one:
 * what arrived then comes twice, which consumers drop; nothing is ever skipped. See docs/adr/0010.
 */
import type { Producer, ProducerConfig } from 'kafkajs';

import type { Clock } from '../../runtime/clock.ts';
import { pause } from '../../runtime/react/attempts.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { codeOf, isHopeless, type KafkaLogger, kafkaError } from './client.ts';
import type { Outgoing } from './message.ts';

/** Milliseconds until a batch without an answer counts as failed, whatever the client waits for. */
const SEND_DEADLINE = 30_000;
/** Milliseconds a broker waits for the copies. */
const ACKS_TIMEOUT = 15_000;

/** As much of the client's producer as is used here. */
type BatchProducer = Pick<Producer, 'connect' | 'disconnect'> & {
  readonly send: (batch: {
    readonly topic: string;
    readonly acks: number;
    readonly timeout: number;
    readonly messages: Outgoing[];
  }) => Promise<unknown>;
};

/** As much of the client as is used here. */
export interface MakesProducers {
  readonly producer: (options: ProducerConfig) => BatchProducer;
}

export interface PublisherOptions {
  readonly kafka: MakesProducers;
  readonly topic: string;
  /** Makes the topic if it is missing. */
  readonly ensureTopic: () => Promise<void>;
  /** The network's time: deadlines and pauses. */
  readonly network: Clock;
  readonly logger: KafkaLogger;
  /** From 0 to below 1: spreads pauses. */
  readonly random: () => number;
}

export class Publisher {
  /** Batches that had to be sent again. */
  failures = 0;
  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  #producer: BatchProducer | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Connects, so that a start finds out what is wrong. */
  async open(): Promise<void> {
    this.#producer = await this.#connected();
  }

  /**
   * Sends until all is acknowledged; false: it was closed before.
   *
   * @throws RuntimeError `misconfigured` where no repetition can help.
   */
  async publish(messages: readonly Outgoing[]): Promise<boolean> {
    const { network, logger, random, topic } = this.#options;
    for (let failed = 0; !this.#stop.signal.aborted; failed++) {
      try {
        await this.#send(messages);
        if (failed > 0) logger.info({ topic, failed }, 'the bus takes events again');
        return true;
      } catch (error) {
        this.#discard();
        if (this.#stop.signal.aborted) break;
        if (isHopeless(error)) throw kafkaError(`${topic} does not take events`, error);
        this.failures++;
        // The 1st, 2nd, 4th… time: a cluster away for an hour must not fill the disk with words.
        if (((failed + 1) & failed) === 0) {
          logger.warn(
            { err: error, topic, failed: failed + 1 },
            'events could not be published and are sent again; reactions wait, commands do not',
          );
        }
        await network.sleep(pause(failed, random), this.#stop.signal);
        if (codeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') await this.#remake();
      }
    }
    return false;
  }

  /** Gives up what is being sent. Safe to call twice. */
  async close(): Promise<void> {
    this.#stop.abort();
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }

  async #send(messages: readonly Outgoing[]): Promise<void> {
    const { network, topic } = this.#options;
    const over = new AbortController();
    // Aborted by the close too, so that a stop does not wait for a broker that does not answer.
    const given = (): void => over.abort();
    this.#stop.signal.addEventListener('abort', given, { once: true });
    try {
      const sending = (async () => {
        const producer = (this.#producer ??= await this.#connected());
        await producer.send({ topic, acks: -1, timeout: ACKS_TIMEOUT, messages: [...messages] });
        return true;
      })();
      // Where the deadline comes first, the rejection that follows is nobody's.
      sending.catch(() => undefined);
      const sent = await Promise.race([
        sending,
        network.sleep(SEND_DEADLINE, over.signal).then(() => false),
      ]);
      if (!sent)
        throw new RuntimeError(
          'outcome-unknown',
          `the brokers did not answer in ${SEND_DEADLINE} ms`,
        );
    } finally {
      this.#stop.signal.removeEventListener('abort', given);
      over.abort();
    }
  }

  async #connected(): Promise<BatchProducer> {
    const producer = this.#options.kafka.producer({
      allowAutoTopicCreation: false,
      idempotent: false,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    if (this.#stop.signal.aborted) {
      // Closed meanwhile: nobody else knows this one, and it would keep its connections.
      void producer.disconnect().catch(() => undefined);
      throw new RuntimeError('unavailable', 'the publisher is closed');
    }
    return producer;
  }

  #discard(): void {
    const producer = this.#producer;
    this.#producer = undefined;
    // It may wait for the broker that failed it: nobody waits with it.
    void producer?.disconnect().catch(() => undefined);
  }

  /** The topic was deleted: it is made again, and consumers read what it held from the store. */
  async #remake(): Promise<void> {
    const { topic, logger } = this.#options;
    try {
      await this.#options.ensureTopic();
      logger.warn({ topic }, 'the topic was missing: what it held is read from the log');
    } catch (error) {
      if (isHopeless(error)) throw kafkaError(`${topic} cannot be made`, error);
      logger.info({ err: error, topic }, 'the missing topic cannot be made yet');
    }
  }
}
