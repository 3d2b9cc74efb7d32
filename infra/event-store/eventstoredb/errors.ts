/** What the client's errors mean for the port: which are worth another attempt, which are final. */
import {
  AccessDeniedError,
  isCommandError,
  MaxAppendSizeExceededError,
  NotLeaderError,
  StreamDeletedError,
  StreamNotFoundError,
  UnavailableError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { EventStoreError } from '../port.ts';

/** What failed, as far as a caller needs to know it. */
export type Failure =
  /** The expected revision is not the stream's: compare what stands there. */
  | { readonly kind: 'wrong-version' }
  | { readonly kind: 'missing' }
  /** No attempt will do better. */
  | { readonly kind: 'final'; readonly error: EventStoreError }
  /** Another attempt may succeed. */
  | {
      readonly kind: 'again';
      /** Certainly nothing was written: the server was not reached, or refused before it began. */
      readonly untouched: boolean;
      /** The connection is not to be used again; see `event-store.md`: 6.2.1 keeps it after these. */
      readonly renew: boolean;
      /** The server did answer: it cannot or will not do this. For a read, its start is no position. */
      readonly refused: boolean;
      readonly why: string;
      readonly cause: unknown;
    };

/** Our own timer ran out: nothing was heard for so long. */
export class SilentServer extends Error {
  constructor(milliseconds: number) {
    super(`nothing was heard from the server for ${milliseconds} ms`);
    this.name = 'SilentServer';
  }
}

const NOT_REACHED =
  /No connection established|ECONNREFUSED|Name resolution failed|Failed to discover|ENOTFOUND/;
/** The server's own refusals to begin; on some paths they come with no code but the text. */
const NOT_READY = /Server Is (Not Ready|Too Busy|Busy)|No leader info available/i;

/** Of one event, by servers since 26.0: the client knows no class for it. */
const TOO_LARGE = /exceeds Maximum Append Event Size/i;

/** gRPC's INVALID_ARGUMENT and OUT_OF_RANGE: how servers say that a place to read from is none. */
const REFUSED = new Set<number>([3, 11]);
/**
 * Older ones say it with UNKNOWN, which is also said where nobody leads, or something went wrong within:
 * that must not be taken for a place where nothing stands.
 */
const NO_PLACE = /Unexpected (Filtered)?ReadAllResult/;

/** Tells what an error of a call means. */
export function judge(error: unknown): Failure {
  if (error instanceof EventStoreError) return { kind: 'final', error };
  if (error instanceof WrongExpectedVersionError) return { kind: 'wrong-version' };
  if (error instanceof StreamNotFoundError) return { kind: 'missing' };
  if (error instanceof StreamDeletedError) {
    return final('deleted', 'the stream was deleted on the server for ever', error);
  }
  if (error instanceof MaxAppendSizeExceededError || TOO_LARGE.test(messageOf(error))) {
    return final('too-large', 'events hold more than the server takes in one append', error);
  }
  if (error instanceof AccessDeniedError) {
    return final(
      'unavailable',
      'the event store refuses us: check the user and password in EVENT_STORE_URL, and what they may do',
      error,
    );
  }
  const why = messageOf(error);
  if (error instanceof NotLeaderError) {
    return { kind: 'again', untouched: true, renew: false, refused: false, why, cause: error };
  }
  const refused =
    error instanceof Error &&
    isCommandError(error) &&
    (REFUSED.has(error.code ?? 0) || NO_PLACE.test(why));
  const untouched = NOT_REACHED.test(why) || NOT_READY.test(why);
  // The client itself reconnects after UNAVAILABLE alone; whatever else went wrong (INTERNAL,
  // DATA_LOSS, a silent server) it would go on with the same connection for ever.
  const renew = !(error instanceof UnavailableError) && !refused;
  return { kind: 'again', untouched, renew, refused, why, cause: error };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function final(
  code: 'deleted' | 'too-large' | 'unavailable',
  message: string,
  cause: unknown,
): Failure {
  return { kind: 'final', error: new EventStoreError(code, message, { cause }) };
}
