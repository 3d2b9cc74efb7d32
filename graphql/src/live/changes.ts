/**
 * Following one object: each change of it, in order, none left out and none twice. What has changed
 * is read from the service that owns it; the port only says when to look.
 */
import type { Position } from '@bivouac/events/language';
import type { Change, Changes, ChangesArgs } from '@bivouac/events/operations';
import { GraphQLError } from 'graphql';

import { requestError } from '../errors/request-error.ts';
import type { Services } from '../request/services.ts';

/** Tells when things have changed: in one process by the read models, between processes by the bus. */
export interface ChangePort {
  /**
   * Calls back whenever a thing may have changed: with the position of the change, where its read model
   * may not have come so far yet. To call too often is harmless. Answers how to end it.
   */
  listen(id: string, listener: ChangeListener): () => void;
}

export type ChangeListener = (position?: Position) => void;

/** A subscription as its source sees it. */
export interface Live {
  readonly changes: ChangePort;
  /** Aborts when the subscription is to end, for whatever reason. */
  readonly ended: AbortSignal;
  /** Where the client had got to before it was cut off, by its header. */
  readonly resumeAt: Position | undefined;
  /** The services, as the caller may use them by now. */
  services(): Services;
  /** A moment, for what another process has not come to yet; shorter where the subscription ends. */
  pause(): Promise<void>;
}

export interface Followed {
  readonly id: string;
  /** Only what follows this position; undefined: from the newest change on. */
  readonly after: Position | undefined;
  readonly read: (services: Services, page: ChangesArgs) => Promise<Changes | null>;
}

const PAGE = 100;

/** The changes of an object, until it has come to its end or the subscription has. */
export async function* follow(live: Live, followed: Followed): AsyncGenerator<Change> {
  const since = live.resumeAt ?? followed.after;
  const moved = new Moved(live.changes, followed.id, live.ended);
  try {
    let page: ChangesArgs = since === undefined ? { limit: 1 } : { since, limit: PAGE };
    while (!live.ended.aborted) {
      // Before looking: what changes meanwhile is looked for again.
      moved.forget();
      const services = live.services();
      services.raiseTo(since);
      services.raiseTo(moved.position);
      const found = await followed.read(services, page).catch((error: unknown) => {
        // The news is ahead of the read model, which was waited for: it is waited for again.
        if (isNotYet(error) && (moved.position ?? '') > (since ?? '')) return undefined;
        throw error;
      });
      if (found === undefined) {
        await live.pause();
        continue;
      }
      if (found === null) throw notThere();
      for (const change of found.changes) {
        yield change;
        page = { after: change.revision, limit: PAGE };
      }
      if (!found.end || found.changes.length > 0) continue;
      if (found.over) return;
      await moved.wait();
    }
  } finally {
    moved.stop();
  }
}

function isNotYet(error: unknown): boolean {
  return error instanceof GraphQLError && error.extensions['code'] === 'NOT_YET';
}

function notThere() {
  return requestError(
    'NOT_FOUND',
    'There is nothing of this id, or it is out of your reach; check the id. Of what was made just now, send the position it was made at as `after`.',
  );
}

/** Whether something may have changed since it was last asked. */
class Moved {
  readonly #stop: () => void;
  readonly #ended: AbortSignal;
  #moved = false;
  /** How far the read model has to have come to tell. */
  position: Position | undefined;
  #wake: () => void = () => undefined;

  constructor(changes: ChangePort, id: string, ended: AbortSignal) {
    this.#ended = ended;
    this.#stop = changes.listen(id, (position) => {
      this.#moved = true;
      if (position !== undefined && position > (this.position ?? '')) this.position = position;
      this.#wake();
    });
    ended.addEventListener('abort', this.#onEnd, { once: true });
  }

  forget(): void {
    this.#moved = false;
  }

  /** Resolves once something may have changed since it was forgotten, or the subscription ends. */
  async wait(): Promise<void> {
    if (this.#moved || this.#ended.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  stop(): void {
    this.#stop();
    this.#ended.removeEventListener('abort', this.#onEnd);
  }

  readonly #onEnd = (): void => {
    this.#wake();
  };
}
