/**
 * One consumer group's member in this process. What is fetched goes into lanes, so that fetching, and
 * with it heartbeats, never waits for a handler; offsets are committed behind what the group remembers.
 * It joins anew when the client has died, and fails where that cannot help.
 */
import type { Clock } from '../../runtime/clock.ts';
import { pause } from '../../runtime/react/attempts.ts';
import type { BusMessage, Consumer, ConsumerOptions } from '../port.ts';
import { Assignment } from './assignment.ts';
import { isHopeless, isPassing, type KafkaLogger, kafkaError } from './client.ts';
import type { Lane } from './lane.ts';
import type { Fetched, NewMember } from './member.ts';
import { busMessage, epochOf, type Incoming, MessageError } from './message.ts';
import { Session } from './session.ts';
import { type AsksOffsets, metadataOf, readStarts } from './starts.ts';

/** Bytes waiting in one lane, and in all together, before no more is fetched. */
const LANE_BYTES = 512 * 1024;
const ALL_BYTES = 16 * 1024 * 1024;
/** Milliseconds between two commits. */
const COMMIT_INTERVAL = 1000;
/** Deaths in a row without a message in between that a cluster which is away does not explain. */
const DEATHS = 5;
/** Beyond every position: where the group remembers nothing itself, what was delivered counts. */
const EVERYTHING = '9'.repeat(20);

export interface KafkaConsumerOptions {
  readonly newMember: NewMember;
  readonly admin: AsksOffsets;
  readonly topic: string;
  readonly epoch: string;
  readonly groupId: string;
  readonly consume: ConsumerOptions;
  /** The network's time: deadlines, pauses, commits. */
  readonly network: Clock;
  readonly logger: KafkaLogger;
  /** From 0 to below 1: spreads pauses. */
  readonly random: () => number;
  readonly ended: () => void;
}

export class KafkaConsumer implements Consumer {
  readonly #options: KafkaConsumerOptions;
  readonly #stop = new AbortController();
  readonly #assignment: Assignment;
  #session: Session | undefined;
  /** In its group; another one each time that it has lost it. */
  #inGroup = new Joining();
  #bytes = 0;
  #underWay = 0;
  #deaths = 0;
  #unreadable = 0;
  #waiting: (() => void)[] = [];

  private constructor(options: KafkaConsumerOptions) {
    const { admin, topic, groupId, consume } = options;
    this.#options = options;
    this.#assignment = new Assignment({
      consume,
      starts: () => readStarts(admin, topic, groupId),
      lost: (lane) => (this.#bytes -= lane.bytes),
      failed: (error) => this.#fail(error),
    });
  }

  /** Joins the group; resolves when the partitions it was given have begun. */
  static async open(options: KafkaConsumerOptions): Promise<KafkaConsumer> {
    const consumer = new KafkaConsumer(options);
    try {
      const session = await consumer.#join();
      await consumer.#assignment.settled();
      void consumer.#live(session);
      void consumer.#commitRegularly();
      return consumer;
    } catch (error) {
      consumer.end();
      throw kafkaError(`group ${options.groupId} cannot be joined`, error);
    }
  }

  /** Nobody is asked: the relay marks every partition each second of the network's time. */
  ask(): void {}

  async settled(): Promise<void> {
    let joining: Joining;
    do {
      joining = this.#inGroup;
      await joining.over;
      await this.#assignment.settled();
    } while (joining !== this.#inGroup && !this.#stop.signal.aborted);
  }

  async stop(deadlineMilliseconds: number): Promise<void> {
    const { network } = this.#options;
    this.#stop.abort();
    const over = new AbortController();
    const deadline = network.sleep(deadlineMilliseconds, over.signal);
    await Promise.race([this.#quiet(), deadline]);
    await Promise.race([this.#options.consume.leaving?.(), deadline]);
    await Promise.race([this.#leave(), deadline]);
    over.abort();
    this.end();
  }

  /** Delivers nothing more; does not wait. */
  end(): void {
    this.#stop.abort();
    this.#inGroup.end();
    void this.#session?.close();
    for (const lane of this.#assignment.lanes) lane.ended = true;
    this.#options.ended();
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.end();
    this.#options.consume.failed(error);
  }

  async #join(): Promise<Session> {
    const { newMember, topic, groupId, network } = this.#options;
    const session = await Session.start({
      newMember,
      topic,
      groupId,
      network,
      joined: (joined, partitions, memberId) => {
        if (this.#stop.signal.aborted) return;
        this.#session = joined;
        this.#assignment.assign(joined, partitions, memberId);
      },
      batch: (batch) => this.#take(batch),
    });
    this.#session = session;
    this.#inGroup.end();
    if (this.#stop.signal.aborted) void session.close();
    return session;
  }

  /** Joins again whenever the client has died. */
  async #live(first: Session): Promise<void> {
    const { network, random, logger, groupId } = this.#options;
    const { signal } = this.#stop;
    let died: Promise<unknown> = first.died;
    for (let failed = 0; ; failed++) {
      const error = await died;
      if (signal.aborted) return;
      void this.#session?.close();
      // A joining that failed goes on: whoever waits for it waits for the one that succeeds.
      if (this.#inGroup.ended) this.#inGroup = new Joining();
      this.#assignment.loseAll();
      if (isHopeless(error) || (!isPassing(error) && ++this.#deaths > DEATHS)) {
        this.#fail(kafkaError(`group ${groupId} cannot be consumed`, error));
        return;
      }
      // The 1st, 2nd, 4th… time: a cluster away for an hour must not fill the disk with words.
      if (((failed + 1) & failed) === 0) {
        logger.warn(
          { err: error, groupId, failed: failed + 1 },
          'the consumer has lost its group and joins again; what it had begun comes again',
        );
      }
      await network.sleep(pause(failed, random), signal);
      if (signal.aborted) return;
      died = this.#join().then(
        (session) => {
          logger.info({ groupId, failed }, 'the consumer is back in its group');
          failed = 0;
          return session.died;
        },
        (cause: unknown) => cause,
      );
    }
  }

  // Taking in and handing on.

  #take(batch: Fetched): void {
    const lane = this.#assignment.lane(batch.partition);
    // What is not resolved is fetched again when the partition is resumed.
    if (lane === undefined || lane.paused || batch.isStale() || this.#stop.signal.aborted) return;
    for (const message of batch.messages) {
      const offset = BigInt(message.offset);
      const read = this.#read(lane, message.offset, message);
      if (read === undefined) lane.skip(offset);
      else this.#bytes += lane.take(offset, read);
    }
    const last = batch.messages.at(-1);
    if (last !== undefined) batch.resolve(last.offset);
    this.#deaths = 0;
    if (lane.bytes > LANE_BYTES || (this.#bytes > ALL_BYTES && lane.waiting > 0)) {
      lane.paused = true;
      this.#session?.pause([lane.partition]);
    }
    this.#hand(lane);
  }

  /** A message that is none of ours is passed over: should it have been one, the next will miss it. */
  #read(lane: Lane, offset: string, message: Incoming): BusMessage | undefined {
    const { topic, epoch, logger } = this.#options;
    try {
      if (epochOf(message) !== epoch) throw new MessageError(`it is not of epoch ${epoch}`);
      return busMessage(message);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      const count = ++this.#unreadable;
      if ((count & (count - 1)) === 0) {
        logger.error(
          { err: error, topic, partition: lane.partition, offset, count },
          'a message of the topic cannot be read and is passed over; what it held comes from the log',
        );
      }
      return undefined;
    }
  }

  #hand(lane: Lane): void {
    if (lane.busy || lane.ended || this.#stop.signal.aborted) return;
    const batch = lane.next();
    if (batch.length === 0) return;
    lane.busy = true;
    this.#underWay++;
    const { deliver } = this.#options.consume;
    const messages = batch.map(({ message }) => message);
    lane.delivering = (async () => deliver(lane.partition, messages))().then(
      () => {
        this.#settle(lane);
        const bytes = lane.delivered(batch);
        if (lane.ended) return;
        this.#bytes -= bytes;
        this.#relieve();
        this.#hand(lane);
      },
      (error: unknown) => {
        this.#settle(lane);
        if (!lane.ended) this.#fail(error);
      },
    );
  }

  #settle(lane: Lane): void {
    lane.busy = false;
    if (--this.#underWay > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Fetches again what was held, when there is room. */
  #relieve(): void {
    const room = this.#bytes <= ALL_BYTES / 2;
    for (const lane of this.#assignment.lanes) {
      if (!lane.paused || lane.bytes > LANE_BYTES / 2 || (!room && lane.waiting > 0)) continue;
      lane.paused = false;
      this.#session?.resume([lane.partition]);
    }
  }

  #quiet(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  // Committing.

  async #commitRegularly(): Promise<void> {
    const { network } = this.#options;
    for (;;) {
      await network.sleep(COMMIT_INTERVAL, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#session?.watch();
      await this.#commit();
    }
  }

  /** A commit that does not arrive is made with the next; the group's own marks are what counts. */
  async #commit(): Promise<void> {
    const { consume, logger, groupId } = this.#options;
    const due = [...this.#assignment.lanes].flatMap((lane) => {
      const kept = consume.kept === undefined ? EVERYTHING : consume.kept(lane.partition);
      const commit = lane.offsets.due(kept);
      return commit === undefined ? [] : [{ lane, commit }];
    });
    if (due.length === 0 || this.#session === undefined) return;
    try {
      await this.#session.commit(
        due.map(({ lane, commit }) => ({
          partition: lane.partition,
          offset: commit.offset.toString(),
          metadata: metadataOf(commit.mark),
        })),
      );
      for (const { lane, commit } of due) lane.offsets.committed(commit);
    } catch (error) {
      logger.info({ err: error, groupId }, 'offsets were not committed and are with the next');
    }
  }

  async #leave(): Promise<void> {
    await this.#commit();
    await this.#session?.close();
  }
}

/** The time until a group is joined, or never will be. */
class Joining {
  readonly over: Promise<void>;
  ended = false;
  #resolve: () => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => (this.#resolve = resolve));
  }

  end(): void {
    this.ended = true;
    this.#resolve();
  }
}
