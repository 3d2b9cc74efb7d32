/**
 * One life of the client's consumer: joined to the group until it dies. It never restarts by itself,
 * because a client that does can go on failing for ever, alive and idle, and nobody is told.
 */
import type { Clock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { CommittedOffset, Fetched, Member, NewMember } from './member.ts';
import { isGathering, patiently } from './patience.ts';

/** Milliseconds without a fetch after which the client counts as stalled. */
const STALLED = 60_000;

export interface SessionOptions {
  readonly newMember: NewMember;
  readonly topic: string;
  readonly groupId: string;
  readonly network: Clock;
  /** These partitions are the member's now: all of them, after each coming together. */
  readonly joined: (session: Session, partitions: readonly number[], memberId: string) => void;
  /** Messages of one partition. Returns at once: a fetch waits for it, and heartbeats for a fetch. */
  readonly batch: (batch: Fetched) => void;
}

export class Session {
  /** Resolves, with the cause, when it has died. */
  readonly died: Promise<unknown>;
  readonly #options: SessionOptions;
  readonly #member: Member;
  readonly #die: (error: unknown) => void;
  #dead: { readonly error: unknown } | undefined;
  #fetched: number;
  #closing: Promise<void> | undefined;

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#fetched = options.network.now();
    let resolve: (error: unknown) => void = () => undefined;
    this.died = new Promise((settle) => (resolve = settle));
    this.#die = (error) => {
      this.#dead ??= { error };
      resolve(error);
    };
    const { topic, groupId, newMember, network, joined, batch } = options;
    this.#member = newMember(
      { topic, groupId },
      {
        joined: (partitions, memberId) => {
          if (!this.#over) joined(this, partitions, memberId);
        },
        fetched: () => (this.#fetched = network.now()),
        crashed: (error) => this.#die(error),
        batch: (fetched) => {
          try {
            // One that was given up may fetch on for a moment; its partitions are another's by then.
            if (!this.#over) batch(fetched);
          } catch (error) {
            this.#die(error);
          }
        },
      },
    );
  }

  /** Joins the group. Throws what keeps it from it. */
  static async start(options: SessionOptions): Promise<Session> {
    const start = async (): Promise<Session> => {
      const session = new Session(options);
      try {
        await session.#join();
        return session;
      } catch (error) {
        void session.close();
        throw error;
      }
    };
    return patiently(options.network, start, isGathering);
  }

  async #join(): Promise<void> {
    await this.#member.join();
    // What hinders the joining is told by the crash alone.
    if (this.#dead !== undefined) throw this.#dead.error;
  }

  /** Ends it: what it was needed for cannot be done. */
  fail(error: unknown): void {
    this.#die(error);
  }

  /** Dies where the client has stopped fetching without a word. */
  watch(): void {
    if (this.#options.network.now() - this.#fetched < STALLED) return;
    this.#die(
      new RuntimeError('unavailable', `the Kafka client has not fetched for ${STALLED} ms`),
    );
  }

  pause(partitions: readonly number[]): void {
    if (this.#over || partitions.length === 0) return;
    this.#member.pause(partitions);
  }

  resume(partitions: readonly number[]): void {
    if (this.#over || partitions.length === 0) return;
    this.#member.resume(partitions);
  }

  /** The next message read of a partition. */
  seek(partition: number, offset: string): void {
    if (!this.#over) this.#member.seek(partition, offset);
  }

  /** Commits offsets; throws where they were not. */
  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    if (this.#over) throw new RuntimeError('unavailable', 'the consumer is not in its group');
    await this.#member.commit(offsets);
  }

  /** Leaves the group. Safe to call twice; never throws. */
  close(): Promise<void> {
    this.#closing ??= this.#member.leave().catch(() => undefined);
    return this.#closing;
  }

  /** The client forgets its group when it has died or left, and refuses these calls. */
  get #over(): boolean {
    return this.#dead !== undefined || this.#closing !== undefined;
  }
}
