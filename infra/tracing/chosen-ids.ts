/** Ids for spans: by chance, unless the next span is to have those that were chosen for it. */
import { randomBytes } from 'node:crypto';

export class ChosenIds {
  #next: { readonly traceId: string; readonly spanId?: string | undefined } | undefined;

  /** Whatever span is started by this has the ids: starting one asks for them at once. */
  choose<T>(
    ids: { readonly traceId: string; readonly spanId?: string | undefined },
    start: () => T,
  ) {
    this.#next = ids;
    try {
      return start();
    } finally {
      this.#next = undefined;
    }
  }

  readonly generateTraceId = (): string => this.#next?.traceId ?? randomBytes(16).toString('hex');

  readonly generateSpanId = (): string => this.#next?.spanId ?? randomBytes(8).toString('hex');
}
