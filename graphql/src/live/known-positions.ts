/**
 * Up to where the log is known to have changed anything for somebody: the position that a remembered
 * answer is kept under. It comes from the same news as subscriptions do.
 */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { Position, Principal } from '@bivouac/events/language';

/** As much of an event as is needed. */
interface Concerning {
  readonly position: Position;
  readonly tenantid: string;
  readonly homeid: string;
}

/** Milliseconds without remembered answers, after news may have been lost and nobody knows up to where. */
const UNSURE = 5000;

export class KnownPositions {
  readonly #clock: { now(): number };
  readonly #ofTenant = new Map<string, Position>();
  readonly #ofHome = new Map<string, Position>();
  /** Of what concerns everybody: the platform's. */
  #ofAll: Position;
  #last: Position;
  #unsureUntil = -Infinity;

  /** @param from where the listening began; '' for an empty log. */
  constructor(from: Position, clock: { now(): number }) {
    this.#ofAll = from;
    this.#last = from;
    this.#clock = clock;
  }

  /** These have happened. */
  hear(events: readonly Concerning[]): void {
    for (const { position, tenantid, homeid } of events) {
      raise(this.#ofTenant, tenantid, position);
      raise(this.#ofHome, homeid, position);
      if (tenantid === PROVIDER_ID && position > this.#ofAll) this.#ofAll = position;
      if (position > this.#last) this.#last = position;
    }
  }

  /** Something may have happened up to there, or until now, that was not heard of. */
  missed(upTo?: Position): void {
    if (upTo === undefined) {
      this.#unsureUntil = this.#clock.now() + UNSURE;
      return;
    }
    if (upTo > this.#ofAll) this.#ofAll = upTo;
    if (upTo > this.#last) this.#last = upTo;
  }

  /**
   * The position of the last event that may concern what a principal sees; undefined while that is not
   * known. Positions compare as text.
   */
  of({ reach, homeId }: Pick<Principal, 'reach' | 'homeId'>): Position | undefined {
    if (this.#clock.now() < this.#unsureUntil) return undefined;
    if (reach === 'all') return this.#last;
    let position = this.#ofAll;
    // Of the home as a whole: a hold above concerns who is below.
    const inHome = this.#ofHome.get(homeId) ?? '';
    if (inHome > position) position = inHome;
    for (const tenantId of reach) {
      const known = this.#ofTenant.get(tenantId) ?? '';
      if (known > position) position = known;
    }
    return position;
  }
}

function raise(positions: Map<string, Position>, name: string, position: Position): void {
  if (position > (positions.get(name) ?? '')) positions.set(name, position);
}
