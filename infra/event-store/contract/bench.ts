/**
 * What the laws run on: an empty log of the adapter under test, made for each of them.
 */
import type { EventStore } from '../port.ts';

/** One empty log of the adapter under test. */
export interface LogUnderTest {
  readonly store: EventStore;
  /**
   * The same log as someone sees it who was not there: closed and opened again, or read by a second
   * reader. An adapter that has neither answers the same store.
   */
  again(): Promise<EventStore>;
  /** Closes what is open and removes what was written. */
  dispose(): Promise<void>;
}

/** Hands the laws the log of the test that runs. */
export interface Bench {
  readonly log: LogUnderTest;
  readonly store: EventStore;
}
