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
  /** It says nothing of where events stand, as old servers do of those of a stream. */
  | { readonly fault: 'no-positions' }
  /** An append that the batched way brought is answered twice. */
  | { readonly fault: 'twice' };

/** Asked once for each call; undefined: it is served as it should be. */
export type Faults = (call: ServedCall) => Fault | undefined;
