/**
 * The replicas of one service. One that fails is left out for a while, longer each time; where all
 * are left out, all are tried. Which one is taken changes no answer.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logging.ts';
import { ranked } from './rendezvous.ts';
import type { Transport } from './transport.ts';

/** One replica, as reported. */
export interface ReplicaState {
  /** Its URL, with the address where the host name has several. */
  readonly url: string;
  /** False while it is left out because it failed. */
  readonly up: boolean;
  readonly inFlight: number;
}

/** How long a replica that failed is left out, in milliseconds: doubled up to the second. */
const OUT_MS = [100, 5_000] as const;

export class Replica {
  readonly id: string;
  readonly transport: Transport;
  inFlight = 0;
  #failures = 0;
  #outUntil = -Infinity;

  constructor(id: string, transport: Transport) {
    this.id = id;
    this.transport = transport;
  }

  isOut(now: number): boolean {
    return now < this.#outUntil;
  }

  /** How soon it is tried again, to compare. */
  get outUntil(): number {
    return this.#outUntil;
  }

  /** Answers whether it was thought to work until now. */
  failed(now: number, random: () => number): boolean {
    const [first, longest] = OUT_MS;
    const pause = Math.min(longest, first * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#outUntil = now + pause * (0.5 + random() / 2);
    return this.#failures === 1;
  }

  /** Answers whether it was left out until now. */
  answered(): boolean {
    const was = this.#failures > 0;
    this.#failures = 0;
    this.#outUntil = -Infinity;
    return was;
  }
}

export interface ReplicasOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export class Replicas {
  readonly #options: ReplicasOptions;
  #list: readonly Replica[] = [];

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#list.length;
  }

  get list(): readonly Replica[] {
    return this.#list;
  }

  /** These are the replicas from now on. */
  set(list: readonly Replica[]): void {
    this.#list = list;
  }

  /**
   * One to call: not among those tried, if there is another; not left out, if there is another. With
   * a key the first by rendezvous, else the less busy of two at random.
   *
   * @returns undefined where there is no replica at all
   */
  pick(tried: ReadonlySet<Replica>, key: string | undefined): Replica | undefined {
    const now = this.#options.clock.now();
    const fresh = this.#list.filter((replica) => !tried.has(replica));
    const up = fresh.filter((replica) => !replica.isOut(now));
    if (up.length > 0) return this.#among(up, key);
    const back = this.#list.filter((replica) => !replica.isOut(now));
    if (back.length > 0) return this.#among(back, key);
    // All are left out: the one that was to be tried soonest.
    const all = fresh.length > 0 ? fresh : this.#list;
    return all.reduce<Replica | undefined>(
      (soonest, one) => (soonest === undefined || one.outUntil < soonest.outUntil ? one : soonest),
      undefined,
    );
  }

  /** Whether there is one that was not tried and is not left out. */
  hasFresh(tried: ReadonlySet<Replica>): boolean {
    const now = this.#options.clock.now();
    return this.#list.some((replica) => !tried.has(replica) && !replica.isOut(now));
  }

  #among(list: readonly Replica[], key: string | undefined): Replica | undefined {
    if (key !== undefined) return ranked(list, key)[0];
    const first = this.#any(list);
    const second = this.#any(list.filter((replica) => replica !== first));
    if (first === undefined || second === undefined) return first ?? second;
    return second.inFlight < first.inFlight ? second : first;
  }

  #any(list: readonly Replica[]): Replica | undefined {
    return list[Math.min(list.length - 1, Math.floor(this.#options.random() * list.length))];
  }

  failed(replica: Replica, why: string): void {
    const { service, clock, random, logger } = this.#options;
    if (replica.failed(clock.now(), random))
      logger.warn({ service, replica: replica.id, why }, 'a replica is left out');
  }

  answered(replica: Replica): void {
    const { service, logger } = this.#options;
    if (replica.answered()) logger.info({ service, replica: replica.id }, 'a replica is back');
  }

  states(): readonly ReplicaState[] {
    const now = this.#options.clock.now();
    return this.#list.map((replica) => ({
      url: replica.id,
      up: !replica.isOut(now),
      inFlight: replica.inFlight,
    }));
  }
}
