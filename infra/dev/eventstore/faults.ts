/** What the development server can be told to do wrong, for tests of who talks to it. */
import type { Metadata, status } from '@grpc/grpc-js';

/** A call as it arrives. */
export interface ServedCall {
  readonly method: 'append' | 'batch-append' | 'read' | 'subscribe';
  /** The stream it is about; undefined where it is about the whole log, or none. */
  readonly stream: string | undefined;
  /** What the client calls its connection. */
  readonly connection: string;
}

/** `before`: nothing of the call is done. `after`: it is done, and only its answer is lost. */
export type Fault =
  /** Never answered. */
  | { readonly fault: 'hang'; readonly when: 'before' | 'after' }
  | {
      readonly fault: 'fail';
      readonly when: 'before' | 'after';
      readonly code: status;
      readonly details: string;
      readonly metadata?: Metadata;
    }
  /** Done when this resolves, and answered only then. */
  | { readonly fault: 'late'; readonly until: Promise<void> }
  /**
   * An append stands in the leader's own log and nowhere else, until it is known what becomes of it. It is
   * never answered, and neither is the same one sent again meanwhile: the server drops that silently.
   */
  | { readonly fault: 'unreplicated'; readonly becomes: Promise<'kept' | 'lost'> }
  /** An append's answer does not say where it was written. */
  | { readonly fault: 'no-position' }
  /** It names a commit position behind the prepare position. */
  | { readonly fault: 'commit-apart' }
  /** A read or subscription ends in order though there is more, after so many events. */
  | { readonly fault: 'end'; readonly after: number }
  /** It ends with an error. */
  | {
      readonly fault: 'break';
      readonly after: number;
      readonly code: status;
      readonly details: string;
    }
  /** It falls silent. */
  | { readonly fault: 'stall'; readonly after: number }
  /**
   * After so many events the subscription was too slow for what is live: it goes on from the log, and says
   * so. `again` events before come once more.
   */
  | { readonly fault: 'fell-behind'; readonly after: number; readonly again: number }
  /** An event is as another program would have written it. */
  | { readonly fault: 'foreign'; readonly event: string; readonly as: Disguise }
  /** It says nothing of where events stand, as old servers do of those of a stream. */
  | { readonly fault: 'no-positions' }
  /** An append that the batched way brought is answered twice. */
  | { readonly fault: 'twice' };

/** What another program's event is like, where ours is expected. */
export type Disguise =
  /** Its body is JSON, of another schema. */
  | 'json'
  | 'without metadata'
  | 'metadata of no JSON'
  | 'metadata of another schema'
  | 'schemaver of no number'
  /** Its commit position is not its prepare position: an explicit transaction wrote it. */
  | 'of a transaction';

/** Asked once for each call; undefined: it is served as it should be. */
export type Faults = (call: ServedCall) => Fault | undefined;
