/** What the status screen says of a fault on a real installation: nothing before it, what is wrong while it lasts. */
import { status } from '@bivouac/all/status';
import { type ThresholdName, thresholds } from '@bivouac/infra/runtime';
import { expect } from '@jest/globals';
import { z } from 'zod';

import { type Alarmed, alarmed } from './alarmed.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults.ts';

const ReportSchema = z.object({ problems: z.array(z.object({ alert: z.string() })) });

/** The machine of a test may be too busy, and its process says so then. */
const ON_A_BUSY_MACHINE: ThresholdName = 'EventLoopDelay';

/** What is only over once its window has passed; how that goes by is in the unit tests. */
const windowed = (alert: ThresholdName): boolean => thresholds[alert].within > 0;

/** What is said, as a person and as a machine have it, and the exit code. */
export async function said({ processes, running }: Alarmed) {
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

/** The fault is shown as it should be: with what it is, what to do about it, and the exit code. */
export async function expectShown(
  fault: Fault,
  atEnd: (end: () => unknown) => void,
): Promise<void> {
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
}

export async function backedUp(on: Alarmed): Promise<void> {
  const backup = faults.find(({ alert }) => alert === 'BackupOld');
  const end = await backup?.begin(on);
  await end?.();
}
