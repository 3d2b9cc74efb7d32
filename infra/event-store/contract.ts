/**
 * The laws every event store adapter keeps, as one suite: a new adapter is done when this passes.
 * Its parts are in `contract/`; each test's name is the law it checks.
 */
import { afterEach, beforeEach, describe } from '@jest/globals';
import { appendLaws } from './contract/appends.ts';
import { concurrencyLaws } from './contract/concurrency.ts';
import { followerLaws } from './contract/followers.ts';
import { readLaws } from './contract/reads.ts';
import { resendLaws } from './contract/resends.ts';
import type { EventStore } from './port.ts';

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

/** Runs every law against an adapter; `factory` makes an empty log for each test. */
export function eventStoreContract(name: string, factory: () => Promise<LogUnderTest>): void {
  describe(`event store: ${name}`, () => {
    let current: LogUnderTest | undefined;
    const bench: Bench = {
      get log() {
        if (current === undefined) throw new Error('no test is running');
        return current;
      },
      get store() {
        return this.log.store;
      },
    };
    beforeEach(async () => {
      current = await factory();
    });
    afterEach(async () => {
      await current?.dispose();
      current = undefined;
    });
    describe('appending', () => appendLaws(bench));
    describe('sending again', () => resendLaws(bench));
    describe('racing', () => concurrencyLaws(bench));
    describe('reading', () => readLaws(bench));
    describe('following', () => followerLaws(bench));
  });
}
