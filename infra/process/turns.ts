/**
 * Of several processes that could all do a thing one does it, and the others wait for their turn: by a
 * lease in the cache that they share. This is for efficiency alone, so that the others wait instead of
 * failing where the store decides the race; a lease may be lost with the cache, and two may then do it
 * for a moment. While the cache is away who waits goes on waiting, as long as the thing is seen to be done.
 */
import { randomInt, randomUUID } from 'node:crypto';

import type { Cache } from '../cache/index.ts';
import type { Clock } from '../runtime/index.ts';

/** Milliseconds a lease holds without being renewed. */
const TTL = 6000;
/** Milliseconds between two renewals. */
const RENEW = 2000;
/** Milliseconds between two questions of who waits. */
const ASK = 1000;
/** Milliseconds that who has waited leaves the one before, to notice that its turn is over. */
const GRACE = 3000;

/**
 * Of several who see that it is not done, each waits up to so many milliseconds and looks again: so the
 * first has mostly been seen to do it when the second looks.
 */
const SPREAD = 8000;

/** As much of a pino logger as is used here. */
export interface TurnsLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What is done in a turn. */
export interface Doing {
  stop(): Promise<void>;
}

export interface TurnsOptions {
  /** One that fails while its engine is away: that is another thing than a lease that another holds. */
  readonly cache: Pick<Cache, 'lease' | 'release'>;
  /** What is leased, e.g. `relay`. */
  readonly name: string;
  /** Begins to do it. */
  readonly begin: () => Promise<Doing>;
  /**
   * Whether nobody does it, by something else than the cache: asked while the cache is away. Must be harmless
   * to be wrong about. Absent: who waits then goes on waiting.
   */
  readonly stalled?: (() => Promise<boolean>) | undefined;
  /** Milliseconds to wait, below the limit. */
  readonly random?: (limit: number) => number;
  readonly logger: TurnsLogger;
  /** Called once: it could not be begun, and the process should end. */
  readonly onFailure: (error: unknown) => void;
  /** The network's time. */
  readonly network: Clock;
}

type Answer = 'mine' | 'of another' | 'unknown';

export class Turns {
  readonly #options: TurnsOptions;
  readonly #holder = randomUUID();
  readonly #stop = new AbortController();
  #doing: Doing | undefined;
  /** Another one was seen to do it since this one did last. */
  #seen = false;
  #away = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Resolves when it does it, or waits because another one does. Rejects with what `begin` rejects with. */
  static async start(options: TurnsOptions): Promise<Turns> {
    const turns = new Turns(options);
    await turns.#step(await turns.#ask());
    turns.#running = turns.#run();
    return turns;
  }

  /** Whether it does it now. */
  get active(): boolean {
    return this.#doing !== undefined;
  }

  /** Ends what it does, and gives the turn to who waits. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#end();
  }

  async #run(): Promise<void> {
    const { network, onFailure } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await network.sleep(this.active ? RENEW : ASK, signal);
      if (signal.aborted) return;
      try {
        await this.#step(await this.#ask());
      } catch (error) {
        onFailure(error);
        return;
      }
    }
  }

  async #step(answer: Answer): Promise<void> {
    const { begin, logger, name, network } = this.#options;
    const { signal } = this.#stop;
    if (answer === 'of another') {
      if (!this.#seen) logger.info({ name }, `another process is the ${name}: this one waits`);
      this.#seen = true;
      const over = this.#doing;
      this.#doing = undefined;
      await over?.stop();
      return;
    }
    if (this.active) return;
    if (answer === 'unknown' && this.#seen) {
      await this.#takeOver();
      return;
    }
    if (this.#seen) {
      await network.sleep(GRACE, signal);
      if (signal.aborted || (await this.#ask()) !== 'mine') return;
      logger.info({ name }, `this process is the ${name} now`);
    }
    this.#doing = await begin();
    this.#seen = false;
  }

  /** Nobody can be asked whose turn it is: it is left to the one that was seen, unless that does nothing. */
  async #takeOver(): Promise<void> {
    const { begin, logger, name, network, random = randomInt } = this.#options;
    const { signal } = this.#stop;
    if (!(await this.#stalled())) return;
    await network.sleep(random(SPREAD), signal);
    if (signal.aborted || (await this.#ask()) !== 'unknown' || !(await this.#stalled())) return;
    try {
      const doing = await begin();
      logger.warn({ name }, `the cache is away and no ${name} does anything: this process does it`);
      this.#doing = doing;
      this.#seen = false;
    } catch (err) {
      // What it needs is away as well, as it is for the other one: neither gets on.
      logger.warn({ err, name }, `no ${name} does anything, and this process cannot either yet`);
    }
  }

  async #stalled(): Promise<boolean> {
    const { stalled, logger, name } = this.#options;
    try {
      return (await stalled?.()) === true;
    } catch (err) {
      logger.warn({ err, name }, `whether another process is the ${name} cannot be found out`);
      return false;
    }
  }

  async #ask(): Promise<Answer> {
    const { cache, name, logger } = this.#options;
    try {
      const lease = await cache.lease(name, this.#holder, TTL);
      this.#away = false;
      return lease === undefined ? 'of another' : 'mine';
    } catch (err) {
      if (!this.#away) {
        logger.warn({ err, name }, `the cache is away: who is the ${name} is not arranged there`);
      }
      this.#away = true;
      return 'unknown';
    }
  }

  async #end(): Promise<void> {
    const { cache, name } = this.#options;
    const doing = this.#doing;
    this.#doing = undefined;
    await doing?.stop();
    // Where it fails, the lease ends by itself.
    await cache.release(name, this.#holder).catch(() => undefined);
  }
}
