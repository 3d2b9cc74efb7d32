/** Why read models stopped following the log, told so that whoever is woken by it knows what to do. */
import type { Position, StoredEvent } from '@bivouac/events/language';

import { RuntimeError } from '../errors.ts';

/** The event at which following stopped, where it was one. */
export interface FailedEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: Position;
}

/** Read models have stopped: a defect, or a log that is not the one followed. Never transient. */
export class FollowerError extends RuntimeError {
  /** The services whose read models cannot go on. */
  readonly services: readonly string[];
  readonly event: FailedEvent | undefined;

  constructor(
    services: readonly string[],
    message: string,
    options: { readonly cause?: unknown; readonly event?: FailedEvent } = {},
  ) {
    super('defect', message, { cause: options.cause });
    this.name = 'FollowerError';
    this.services = services;
    this.event = options.event;
  }
}

/** A projection threw, or the event could not be decoded for those who handle it. */
export function eventFailure(
  services: readonly string[],
  what: string,
  event: StoredEvent,
  cause: unknown,
): FollowerError {
  const { id, type, stream, revision, position } = event;
  const models = `the read model${services.length === 1 ? '' : 's'} of ${services.join(', ')}`;
  return new FollowerError(
    services,
    `${models} stopped before event ${id} (${type}) in ${stream} at revision ${revision}: ${what}: ` +
      `${messageOf(cause)}. Run a release that can apply it, then rebuild ${models}`,
    { cause, event: { id, type, stream, revision, position } },
  );
}

/** The checkpoint is not of this log: a restored backup, or another data folder. */
export function mismatchFailure(
  services: readonly string[],
  why: string,
  cause?: unknown,
): FollowerError {
  const models = `the read model${services.length === 1 ? '' : 's'} of ${services.join(', ')}`;
  return new FollowerError(
    services,
    `${models} cannot follow this log: ${why}. Rebuild ${models}`,
    {
      cause,
    },
  );
}

/** What an error says; errors of native code are of another realm under a test runner. */
export function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return String(error.message);
  }
  return String(error);
}
