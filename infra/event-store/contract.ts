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
import type { Bench, LogUnderTest } from './contract/bench.ts';

export type { LogUnderTest } from './contract/bench.ts';

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
