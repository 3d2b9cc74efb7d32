/** The demo as a test: one order from click to invoice, each invoice line traced back into the log. */
import { afterAll, expect, test } from '@jest/globals';
import { play, START } from '@bivouac/all';
import { createLogger, ManualClock } from '@bivouac/infra/runtime';

import { closeAll, newFolder } from './installation.ts';
import { kindWith } from './kinds.ts';

afterAll(closeAll);

test('the demo ends at 25.07 EUR with nothing left over, and every line names real events', async () => {
  const folder = await newFolder();
  const clock = new ManualClock(START);
  const installation = await kindWith({}).start({
    folder,
    clock,
    logger: createLogger('silent', process.stderr),
    providerName: 'Demo Provider',
    onFailure: (error) => {
      console.error(error);
    },
  });
  try {
    const report = await play(installation, clock, () => undefined);
    expect(report).toMatchObject({
      operation: { status: 'succeeded' },
      container: { lifecycle: 'deleted' },
      invoice: { total: { amount: '25.07', currency: 'EUR' }, month: '2026-04' },
      leftovers: 0,
    });
    expect(report.operations.map(({ status }) => status)).toEqual(Array(6).fill('succeeded'));
    expect(new Set(report.addresses).size).toBe(2);
    expect(report.events).toBeGreaterThan(50);
    expect(report.invoice.lines.map(({ amount }) => amount.amount).sort()).toEqual([
      '1.07',
      '10.00',
      '14.00',
    ]);

    const causes = report.invoice.lines.flatMap((line) => line.causes);
    expect(causes.length).toBeGreaterThanOrEqual(3);
    for (const cause of causes) {
      const page = await installation.store.readStream(cause.stream, {
        from: BigInt(cause.revision),
        limit: 1,
      });
      const event = page.exists ? page.events[0] : undefined;
      expect(event).toMatchObject({ id: cause.eventId, type: cause.type });
      expect(String(event?.revision)).toBe(cause.revision);
      expect(event?.time).toBe(cause.time);
    }
    const sum = report.invoice.lines.reduce((total, { amount }) => total + cents(amount.amount), 0);
    expect(sum).toBe(2507);
  } finally {
    await installation.stop(10_000);
  }
});

function cents(amount: string): number {
  return Number(amount.replace('.', ''));
}
