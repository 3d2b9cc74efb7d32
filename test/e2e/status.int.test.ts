// Each thing that can go wrong, made to go wrong by itself on a real installation: what the status screen says of
// it, with what exit code, and that it says no more of it once it is over.
import { readFileSync } from 'node:fs';

import { thresholds } from '@bivouac/infra/runtime';
import { afterEach, expect, test } from '@jest/globals';

import { cacheAway } from '../alarms/cache-away.ts';
import type { Fault } from '../alarms/fault.ts';
import { faults } from '../alarms/faults.ts';
import { expectShown } from '../alarms/shown.ts';

import { closeAll } from './installation.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await closeAll();
});
const atEnd = (end: () => unknown): void => void ends.push(end);

test('the table of docs/metrics.md says what is done here to make each alert fire', () => {
  const documented = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
    .split('\n')
    .map((line) => /^\| \[(\w+)\]\(runbook\.md#\w+\) +\| (.*?) +\|$/.exec(line))
    .flatMap((row) => (row === null ? [] : [`${row[1]}: ${row[2]}`]));
  const done = [...faults, cacheAway].map(({ alert, how }) => `${alert}: ${how}`);
  expect(documented).toEqual(done);
  expect(new Set(documented.map((row) => row.split(':')[0]))).toEqual(
    new Set(Object.keys(thresholds)),
  );
});

/** The status of a process that computes for seconds is in test/live/status.live.test.ts. */
const quick = faults.filter(({ alert }) => alert !== 'EventLoopDelay');

test.each(quick.map((fault) => [`${fault.alert}: ${fault.how}`, fault] satisfies [string, Fault]))(
  '%s',
  (_, fault) => expectShown(fault, atEnd),
  120_000,
);
