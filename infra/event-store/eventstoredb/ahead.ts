/** Reading one page ahead of a follower that catches up: while it works on a page the next one comes. */
import type { Position } from '@bivouac/events/language';
import type { LogPage } from '../port.ts';

/** Reads a page after a position. */
export type ReadPage = (after: Position | undefined, limit: number) => Promise<LogPage>;

/** The reads of one follower. */
export class Ahead {
  readonly #read: ReadPage;
  #next: { readonly after: Position; readonly page: Promise<LogPage> } | undefined;

  constructor(read: ReadPage) {
    this.#read = read;
  }

  async page(after: Position | undefined, limit: number): Promise<LogPage> {
    const next = this.#next;
    this.#next = undefined;
    let page: LogPage;
    if (next === undefined || next.after !== after) page = await this.#read(after, limit);
    else {
      const { events, end } = await next.page;
      // Where it was the end, the log may have grown since: only a read made now can say that it is.
      if (end && events.length === 0) page = await this.#read(after, limit);
      else page = { events, end: false };
      if (end) return page;
    }
    const last = page.events.at(-1);
    if (!page.end && last !== undefined) {
      const reading = this.#read(last.position, limit);
      // Its failure is the follower's only when it comes to it.
      reading.catch(() => undefined);
      this.#next = { after: last.position, page: reading };
    }
    return page;
  }
}
