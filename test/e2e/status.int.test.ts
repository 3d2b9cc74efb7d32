// Each thing that can go wrong, made to go wrong by itself on a real installation: what the status screen says of
// it, with what exit code, and that it says no more of it once it is over.
import { readFileSync } from 'node:fs';

import { status } from '@bivouac/all/status';
import { type ThresholdName, thresholds } from '@bivouac/infra/runtime';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { type Alarmed, alarmed } from '../alarms/alarmed.ts';
import { cacheAway } from '../alarms/cache-away.ts';
import { type Fault, faults } from '../alarms/faults.ts';

import { closeAll } from './installation.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await closeAll();
});
const atEnd = (end: () => unknown): void => void ends.push(end);

const ReportSchema = z.object({ problems: z.array(z.object({ alert: z.string() })) });

/** What is said, as a person and as a machine have it, and the exit code. */
async function said({ processes, running }: Alarmed) {
  const options = {
    config: { EVENT_STORE_URL: `sqlite:${running.folder}`, PORT: 0 },
    at: new Map([...processes].map(([name, url]) => [name, [url]])),
    ...{ colours: false, deadline: 10_000, now: Date.now() },
  };
  const { text: json } = await status({ ...options, json: true });
  const { text, exitCode } = await status({ ...options, json: false });
  const alerts = ReportSchema.parse(JSON.parse(json)).problems.map(({ alert }) => alert);
  return { alerts: new Set(alerts), text, exitCode };
}

/** The lines of a problem as one: where they are broken is nobody's business. */
function joined(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

/** The machine of a test may be too busy, and its process says so then. */
const ON_A_BUSY_MACHINE: ThresholdName = 'EventLoopDelay';

/** What is only over once its window has passed; how that goes by is in the unit tests. */
const windowed = (alert: ThresholdName): boolean => thresholds[alert].within > 0;

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

test.each(faults.map((fault) => [`${fault.alert}: ${fault.how}`, fault] satisfies [string, Fault]))(
  '%s',
  async (_, fault) => {
    const on = await alarmed({ atEnd, ...(fault.settings && { settings: fault.settings }) });
    if (fault.alert !== 'BackupOld') await backedUp(on);
    const before = await said(on);
    const well = fault.alert !== 'BackupOld';
    const alerts = [...before.alerts].filter((alert) => alert !== ON_A_BUSY_MACHINE);
    expect(alerts).toEqual(well ? [] : ['BackupOld']);
    const isWell = /^All is well\.$/m.test(before.text);
    expect(before.exitCode).toBe(isWell ? 0 : 1);
    expect(isWell).toBe(!/^! /m.test(before.text));

    const end = await fault.begin(on);
    const measured = (await on.metrics.scrape()).text.split('\n');
    for (const [series, value] of Object.entries(fault.values ?? {}))
      expect(measured).toContain(`bivouac_${series} ${value}`);
    const during = await said(on);
    expect(during.alerts).toContain(fault.alert);
    expect(during.exitCode).toBe(1);
    const text = joined(during.text);
    expect(text).toMatch(fault.says);
    const { remedy, section } = thresholds[fault.alert];
    expect(text).toContain(`-> ${remedy} (docs/runbook.md#${section})`);
    expect(during.text.split('\n').filter((line) => line.length > 80)).toEqual([]);

    await end();
    if (windowed(fault.alert)) return;
    const after = await said(on);
    expect([...after.alerts]).not.toContain(fault.alert);
  },
  120_000,
);

async function backedUp(on: Alarmed): Promise<void> {
  const backup = faults.find(({ alert }) => alert === 'BackupOld');
  const end = await backup?.begin(on);
  await end?.();
}
