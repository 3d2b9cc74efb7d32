/**
 * News for several processes of one kind, of which one listens to the bus and tells the others through
 * the cache: so the topic is read once and not by each. A process that hears nothing there listens to
 * the bus itself, until it has heard the other one again for a while; both roads at once do no harm,
 * since news only says where to look. What may have been lost between them is said to be missed.
 */
import { randomUUID } from 'node:crypto';

import type { Position } from '@bivouac/events/language';
import { z } from 'zod';

import type { Cache } from '../cache/index.ts';
import { type Clock, systemClock } from '../runtime/index.ts';
import { listenForNews, type NewsOptions } from './news.ts';
import { Turns, type TurnsLogger } from './turns.ts';

/** Milliseconds between two signs of life of who tells. */
const BEAT = 500;
/** Milliseconds without one until a process listens to the bus itself. */
const SILENCE = 2000;
/** Milliseconds without a gap until it leaves the bus to who tells. */
const TRUST = 3000;
/** Events told at once. */
const PAGE = 500;

/** As much of an event as is told. */
export interface Told {
  readonly stream: string;
  readonly position: Position;
  readonly tenantid: string;
  readonly homeid: string;
}

export interface SharedNewsOptions extends Omit<NewsOptions, 'onEvents' | 'after'> {
  /** An engine, which fails while it is away. */
  readonly cache: Pick<Cache, 'lease' | 'release' | 'publish' | 'subscribe'>;
  /** Where the log ends now. */
  readonly head: () => Promise<Position | null>;
  readonly onEvents: (events: readonly Told[]) => void;
  readonly logger: TurnsLogger;
}

export interface SharedNews {
  /** Whether this process listens to the bus itself. */
  readonly onBus: boolean;
  /** Whether it tells the others. */
  readonly tells: boolean;
  stop(): Promise<void>;
}

/** Of one teller the messages are counted, so that a lost one is noticed. */
const MessageSchema = z.strictObject({
  from: z.string(),
  n: z.int().min(0),
  told: z.array(z.tuple([z.string(), z.string(), z.string(), z.string()])),
  /** Something was lost: up to a position, or nobody knows (''). */
  missed: z.string().optional(),
});
type Message = z.output<typeof MessageSchema>;

/** Listens until it is told to stop. Resolves when everything that comes from now on is told. */
export async function listenTogether(options: SharedNewsOptions): Promise<SharedNews> {
  const news = new Listening(options);
  await news.start();
  return news;
}

class Listening implements SharedNews {
  readonly #options: SharedNewsOptions;
  readonly #network: Clock;
  readonly #channel: string;
  readonly #self = randomUUID();
  readonly #stop = new AbortController();
  /** Ends the listening to the bus; undefined while it is left to another process. */
  #bus: (() => Promise<void>) | undefined;
  /** Changes of the road come one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #turns: Turns | undefined;
  #tells = false;
  #sent = 0;
  #subscribed = false;
  #teller = '';
  #heard = 0;
  #heardAt = -Infinity;
  #trustedSince = Infinity;

  constructor(options: SharedNewsOptions) {
    this.#options = options;
    this.#network = options.network ?? systemClock;
    this.#channel = `news of ${options.name}`;
  }

  get onBus(): boolean {
    return this.#bus !== undefined;
  }

  get tells(): boolean {
    return this.#tells;
  }

  async start(): Promise<void> {
    const { cache, name, logger, onFailure } = this.#options;
    // First by itself: a start does not depend on the cache.
    await this.#choose();
    this.#turns = await Turns.start({
      ...{ cache, logger, onFailure, network: this.#network, name: `news of ${name}` },
      begin: async () => {
        this.#tells = true;
        await this.#choose();
        return {
          stop: async () => {
            this.#tells = false;
          },
        };
      },
    });
    await this.#subscribe();
    void this.#beat();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#turns?.stop();
    await this.#changing;
    await this.#bus?.();
    this.#bus = undefined;
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await this.#network.sleep(BEAT, signal);
      if (signal.aborted) return;
      if (this.#tells) this.#tell([]);
      if (!this.#subscribed) await this.#subscribe();
      await this.#choose();
    }
  }

  /** Whether another process is heard without a gap. */
  #hears(): boolean {
    return this.#network.now() - this.#heardAt < SILENCE;
  }

  #choose(): Promise<void> {
    this.#changing = this.#changing.then(() => this.#change()).catch(this.#options.onFailure);
    return this.#changing;
  }

  async #change(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { head, onMissed, logger, name } = this.#options;
    if (this.#bus === undefined && (this.#tells || !this.#hears())) {
      const after = await head();
      this.#bus = await listenForNews({
        ...this.#options,
        after,
        onEvents: (events) => {
          this.#take(
            events.map(({ stream, position, tenantid, homeid }) => ({
              ...{ stream, position, tenantid, homeid },
            })),
          );
        },
        onMissed: (upTo) => {
          this.#miss(upTo);
        },
      });
      // Since the other road was heard last, until now.
      onMissed(undefined);
      if (!this.#tells) logger.info({ name }, 'listening to the bus itself: nobody tells the news');
      return;
    }
    const trusted = this.#hears() && this.#network.now() - this.#trustedSince >= TRUST;
    if (this.#bus !== undefined && !this.#tells && trusted) {
      const stop = this.#bus;
      this.#bus = undefined;
      await stop();
      logger.info({ name }, 'the bus is left to another process, which tells the news');
    }
  }

  /** From the bus. */
  #take(events: readonly Told[]): void {
    this.#options.onEvents(events);
    if (this.#tells) this.#tell(events);
  }

  #miss(upTo: Position | undefined): void {
    this.#options.onMissed(upTo);
    if (this.#tells) this.#publish({ told: [], missed: upTo ?? '' });
  }

  #tell(events: readonly Told[]): void {
    let from = 0;
    do {
      const page = events.slice(from, from + PAGE);
      const told = page.map(
        ({ stream, position, tenantid, homeid }): [string, string, string, string] => [
          ...([stream, position, tenantid, homeid] as const),
        ],
      );
      this.#publish({ told });
      from += PAGE;
    } while (from < events.length);
  }

  #publish(message: Omit<Message, 'from' | 'n'>): void {
    const text = JSON.stringify({ from: this.#self, n: this.#sent++, ...message });
    // What is lost so is missing in the count, and noticed.
    this.#options.cache.publish(this.#channel, text).catch(() => undefined);
  }

  async #subscribe(): Promise<void> {
    const { cache } = this.#options;
    try {
      await cache.subscribe(
        this.#channel,
        (text) => {
          this.#hear(text);
        },
        this.#stop.signal,
        () => {
          this.#gap();
        },
      );
      this.#subscribed = true;
    } catch {
      // The cache is away: asked again with the next beat, and the bus is listened to meanwhile.
    }
  }

  /** From another process. */
  #hear(text: string): void {
    const message = messageIn(text);
    if (message === undefined || message.from === this.#self) return;
    const { from, n, told, missed } = message;
    const now = this.#network.now();
    const next = from === this.#teller && n === this.#heard + 1 && this.#hears();
    this.#teller = from;
    this.#heard = n;
    this.#heardAt = now;
    if (!next) this.#gap();
    const { onEvents, onMissed } = this.#options;
    if (told.length > 0) {
      onEvents(
        told.map(([stream, position, tenantid, homeid]) => ({
          ...{ stream, position, tenantid, homeid },
        })),
      );
    }
    if (missed !== undefined) onMissed(missed === '' ? undefined : missed);
  }

  /** Something may not have been heard; on the bus nothing was lost by it. */
  #gap(): void {
    this.#trustedSince = this.#network.now();
    if (!this.onBus) this.#options.onMissed(undefined);
  }
}

function messageIn(text: string): Message | undefined {
  try {
    return MessageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
