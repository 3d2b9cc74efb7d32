// What is beyond a threshold is always a line with a remedy; where nothing is, all is well.
import { thresholds } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { evaluate } from './evaluate.ts';
import type { Look } from './look.ts';
import { samplesOf } from './prometheus-text.ts';
import { screenOf } from './screen.ts';

const NOW = Date.parse('2026-04-10T09:00:00.000Z');

function saying(metrics: string, name = 'billing'): Look {
  const samples = samplesOf(`bivouac_build_info{part="${name}",release="1"} 1\n${metrics}`);
  return { name, url: 'http://127.0.0.1:1', answers: true, ready: true, samples, why: undefined };
}

const gauges = [
  ['relay_age_seconds', 'RelayBehind'],
  ['parked_homes', 'HomeParked'],
  ['follower_lag_events', 'FollowerLag'],
  ['timers_late_seconds', 'TimersLate'],
  ['frozen_streams', 'StreamFrozen'],
] as const;

test('a value beyond its threshold shows with its remedy on lines of 80 columns; one within does not', () => {
  fc.assert(
    fc.property(fc.constantFrom(...gauges), fc.nat(10_000), ([metric, alert], value) => {
      const report = evaluate([saying(`bivouac_${metric}{service="billing"} ${value}`)], NOW, NOW);
      const wrong = value > thresholds[alert].most;
      expect(report.ok).toBe(!wrong);
      expect(report.problems.map((one) => one.alert)).toEqual(wrong ? [alert] : []);
      const screen = screenOf(report, false);
      expect(screen.includes(`docs/runbook.md#${alert.toLowerCase()}`)).toBe(wrong);
      expect(screen.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }),
  );
});

test('a process that does not answer is named with the reason, and the rest is still shown', () => {
  const silent = { ...saying('', 'relay'), answers: false, ready: false, samples: undefined };
  const report = evaluate([{ ...silent, why: 'no answer within 5000 ms' }, saying('')], NOW, NOW);
  expect(report.problems).toMatchObject([
    { alert: 'ProcessDown', what: expect.stringContaining('no answer within 5000 ms') },
  ]);
  expect(report.processes.map(({ state }) => state)).toEqual(['no answer', 'ready']);
});

test('who does not read what another writes is to be rolled; no backup is said to be none', () => {
  const report = evaluate(
    [
      saying('bivouac_event_version_written{type="a.B"} 2', 'new'),
      saying('bivouac_event_version_read{type="a.B"} 1', 'old'),
    ],
    NOW,
    undefined,
  );
  expect(report.problems.map(({ alert }) => alert)).toEqual(['EventVersionSkew', 'BackupOld']);
  expect(report.problems[0]?.what).toContain('roll old');
  expect(report.lastBackup).toBeNull();
});

test.each([
  [30, []],
  [31, ['ClocksApart']],
])('clocks that are %i s apart, whatever the one here says', (seconds, alerts) => {
  const clock = (ahead: number): string => `bivouac_clock_seconds ${1_000_000 + ahead}`;
  const looks = [saying(clock(7), 'relay'), saying(clock(seconds), 'quotas'), saying(clock(0))];
  const { problems } = evaluate(looks, NOW, NOW);
  expect(problems.map(({ alert }) => alert)).toEqual(alerts);
  for (const { what } of problems)
    expect(what).toBe('the clock of quotas is 31 s ahead of that of billing');
});

test('a record of a backup that cannot be read is no backup, and is named', () => {
  const { problems } = evaluate([saying('')], NOW, { unreadable: '/data/events.backup' });
  expect(problems).toMatchObject([
    { alert: 'BackupOld', what: expect.stringContaining('/data/events.backup is no record') },
  ]);
});

test('text that is no metrics is told from an empty one', () => {
  expect(samplesOf('<html>')).toBeUndefined();
  expect(samplesOf('')).toEqual([]);
  expect(samplesOf('a{b="c\\"d\\\\e\\nf",g=""} +Inf')).toEqual([
    { name: 'a', labels: { b: 'c"d\\e\nf', g: '' }, value: Infinity },
  ]);
});

test('what was counted within the window of its alert is judged as the alert does, of the process that counted', () => {
  fc.assert(
    fc.property(
      ...[fc.nat(5), fc.nat(5), fc.nat(5), fc.nat(30), fc.integer({ min: 1, max: 3000 })],
      ...[fc.nat(40), fc.integer({ min: 0, max: 3000 })],
      (unknown, gaps, away, gaveUp, appends, late, delays) => {
        const all = late + delays;
        const recent = (counter: string, series: string, value: number): string =>
          `bivouac_recent{counter="${counter}",series="${series}"} ${value}`;
        const said = [
          recent('unknown_outcomes_total', 'tree', unknown),
          recent('gaps_repaired_total', 'billing', gaps),
          recent('cache_outages_total', '', away),
          recent('looks_failed_total', 'relay', unknown),
          recent('contention_total', 'tree', gaveUp),
          recent('eventloop_delay_seconds', 'beyond the limit', late),
          recent('eventloop_delay_seconds', 'measured', all),
        ];
        const report = evaluate(
          // Shares are of the appends of all processes.
          [saying(said.join('\n')), saying(recent('appends_total', 'done', appends), 'containers')],
          ...[NOW, NOW],
        );
        const expected = [
          ...(unknown > 0 ? ['UnknownOutcomes'] : []),
          ...(gaps > 0 ? ['BusGaps'] : []),
          ...(away > 0 ? ['CacheAway'] : []),
          ...(unknown > thresholds.NotMeasured.most ? ['NotMeasured'] : []),
          ...(gaveUp / appends > thresholds.Contention.most ? ['Contention'] : []),
          ...(late >= 10 && late > all * 0.01 ? ['EventLoopDelay'] : []),
        ];
        expect(report.problems.map(({ alert }) => alert)).toEqual(expected);
        for (const { what } of report.problems) expect(what).toContain('billing');
        const screen = screenOf(report, false);
        for (const alert of expected)
          expect(screen).toContain(`docs/runbook.md#${alert.toLowerCase()}`);
        expect(screen.split('\n').filter((line) => line.length > 80)).toEqual([]);
      },
    ),
  );
});

test('each node is a line, the longest silent first; silent is said as the alert says it', () => {
  const report = evaluate(
    [
      saying(
        [
          ...['a', 'b', 'c'].map((node) => `bivouac_node_expected{node="${node}"} 1`),
          'bivouac_node_last_heard_seconds{node="a"} 0',
          'bivouac_node_last_heard_seconds{node="b"} 500',
        ].join('\n'),
        'endpoint 1',
      ),
      saying('bivouac_node_last_heard_seconds{node="b"} 121', 'endpoint 2'),
    ],
    ...[NOW, NOW],
  );
  expect(report.nodes).toEqual([
    { node: 'c', silentSeconds: null },
    { node: 'b', silentSeconds: 121 },
    { node: 'a', silentSeconds: 0 },
  ]);
  expect(report.problems.map(({ what }) => what)).toEqual([
    'node c is silent: not heard since its endpoint began',
    'node b is silent: not heard for 2 min 1 s',
  ]);
  expect(screenOf(report, false)).toMatch(/^c +never\nb +2 min 1 s ago\na +connected$/m);
});
