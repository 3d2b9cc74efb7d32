/**
 * The partitions that are this member's: each opened at its group's mark, and let go when it is given
 * to another. One that comes back waits until nothing of its former time here is under way.
 */
import type { ConsumerOptions } from '../port.ts';
import { Lane } from './lane.ts';
import type { Session } from './session.ts';
import { seekOf, type Start } from './starts.ts';

export interface AssignmentOptions {
  readonly consume: ConsumerOptions;
  readonly starts: () => Promise<ReadonlyMap<number, Start>>;
  /** A lane was taken away; what waits in it is not delivered. */
  readonly lost: (lane: Lane) => void;
  /** The group's marks cannot be read: going on would break a promise. */
  readonly failed: (error: unknown) => void;
}

/** One time that a partition is here. */
interface Tenure {
  lost: boolean;
}

export class Assignment {
  readonly #options: AssignmentOptions;
  readonly #lanes = new Map<number, Lane>();
  readonly #tenures = new Map<number, Tenure>();
  /** What has to happen to a partition, one thing after the other. */
  readonly #changes = new Map<number, Promise<void>>();
  #memberId: string | undefined;

  constructor(options: AssignmentOptions) {
    this.#options = options;
  }

  /** Open lanes. */
  get lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  lane(partition: number): Lane | undefined {
    return this.#lanes.get(partition);
  }

  /** Resolves when what was assigned until now has been opened. */
  async settled(): Promise<void> {
    await Promise.all(this.#changes.values());
  }

  /** The group has come together: these are ours, and no others. */
  assign(session: Session, partitions: readonly number[], memberId: string): void {
    // Under a new name we were away, and others may have gone on in our place.
    if (this.#memberId !== memberId) this.loseAll();
    this.#memberId = memberId;
    const ours = new Set(partitions);
    for (const partition of [...this.#tenures.keys()]) {
      if (!ours.has(partition)) this.#lose(partition);
    }
    const fresh = partitions.filter((partition) => !this.#tenures.has(partition));
    if (fresh.length === 0) return;
    session.pause(fresh);
    const starts = this.#options.starts();
    starts.catch(() => undefined);
    for (const partition of fresh) {
      const tenure: Tenure = { lost: false };
      this.#tenures.set(partition, tenure);
      this.#change(partition, () => this.#open(session, partition, tenure, starts));
    }
  }

  loseAll(): void {
    this.#memberId = undefined;
    for (const partition of [...this.#tenures.keys()]) this.#lose(partition);
  }

  /** Asks where the partition begins, and lets it be fetched from there. */
  async #open(
    session: Session,
    partition: number,
    tenure: Tenure,
    starts: Promise<ReadonlyMap<number, Start>>,
  ): Promise<void> {
    const { consume } = this.#options;
    if (tenure.lost) return;
    const known = await starts.catch((error: unknown) => {
      // The brokers are away: the session dies of it, and the next one asks again.
      session.fail(error);
      return undefined;
    });
    if (isLost(tenure) || known === undefined) return;
    const mark = await consume.from(partition);
    if (isLost(tenure)) {
      consume.revoked?.(partition);
      return;
    }
    const seek = seekOf(known.get(partition), mark);
    if (seek !== undefined) session.seek(partition, seek);
    const lane = new Lane(partition, mark);
    this.#lanes.set(partition, lane);
    session.resume([partition]);
  }

  #lose(partition: number): void {
    const tenure = this.#tenures.get(partition);
    if (tenure !== undefined) tenure.lost = true;
    this.#tenures.delete(partition);
    const lane = this.#lanes.get(partition);
    if (lane === undefined) return;
    this.#lanes.delete(partition);
    lane.ended = true;
    this.#options.lost(lane);
    this.#options.consume.revoked?.(partition);
    this.#change(partition, () => lane.delivering);
  }

  #change(partition: number, change: () => Promise<void>): void {
    const before = this.#changes.get(partition) ?? Promise.resolve();
    this.#changes.set(
      partition,
      before.then(change).catch((error: unknown) => {
        this.#options.failed(error);
      }),
    );
  }
}

/** A call, because the compiler takes a property it has seen false to stay false. */
function isLost(tenure: Tenure): boolean {
  return tenure.lost;
}
