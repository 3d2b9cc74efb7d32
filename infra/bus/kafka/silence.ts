/**
 * Brokers that stand still: their machine still takes connections, and bytes, and nothing ever comes back.
 * The client gives such a question up after a long time, keeps the connection, and asks there again. So a
 * connection is cut once what a broker answers at once has been unanswered for some seconds: the client
 * then goes to another broker.
 */

/** Milliseconds for what a broker answers without waiting for anything: long enough for a busy one. */
const AT_ONCE = 5000;

/** Requests of the protocol that are answered at once, by their keys. */
const QUICK = new Set([
  1, // Fetch: waits for something new, but for half a second
  2, // ListOffsets
  3, // Metadata
  9, // OffsetFetch
  10, // FindCoordinator
  12, // Heartbeat
  17, // SaslHandshake
  18, // ApiVersions
  32, // DescribeConfigs
  36, // SaslAuthenticate
]);

/** Where in a request its key stands: behind its length. */
const KEY_AT = 4;

/** Watches what one connection still waits for. A broker answers a connection's questions one by one, in order. */
export class Silence {
  /** Keys of what was asked and is not answered, the oldest first. */
  readonly #asked: (number | undefined)[] = [];
  readonly #cut: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param cut ends the connection. */
  constructor(cut: (error: Error) => void) {
    this.#cut = cut;
  }

  /** One request, as it is written. */
  asks(request: Uint8Array): void {
    const view = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    this.#asked.push(view.length < KEY_AT + 2 ? undefined : view.readInt16BE(KEY_AT));
    if (this.#asked.length === 1) this.#watch();
  }

  /** So many replies have come whole. */
  answered(replies: number): void {
    if (replies === 0) return;
    this.#asked.splice(0, replies);
    this.#watch();
  }

  /** Nothing is waited for any more: the connection is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#asked.length = 0;
  }

  /** From now on the oldest question is the one that the broker works at. */
  #watch(): void {
    clearTimeout(this.#timer);
    const [key] = this.#asked;
    if (key === undefined || !QUICK.has(key)) return;
    this.#timer = setTimeout(() => {
      this.#cut(new Error(`a broker has not answered request ${key} for ${AT_ONCE} ms`));
    }, AT_ONCE);
    this.#timer.unref();
  }
}
