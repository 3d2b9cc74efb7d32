/** An hour of a tree's use: each part once, closed when all have reported or its time is over. */
import { describe, expect, test } from '@jest/globals';
import {
  type Decided,
  type Decision,
  type DecideContext,
  eventRegistry,
  formatPosition,
  MAX_EVENT_BYTES,
} from '@bivouac/events/language';
import { MOST_IN_PART, type UsageEntry } from '@bivouac/events/node';
import { MOST_CONCERNED, usageEvents } from '@bivouac/events/quotas';
import { deriveId, plusSeconds, uuidOf } from '@bivouac/events/values';
import fc from 'fast-check';

import { usageHour } from '../aggregates.ts';
import { context, home } from '../given.ts';
import { closesAt, closeUsageHour, recordUsage, type UsageState, usageStream } from './usage.ts';

const hour = '2026-04-10T09:00:00.000Z';
const over = plusSeconds(hour, 3600);
const [a, b] = ['a', 'b'].map((name) => deriveId('node', name)) as [string, string];
const registry = eventRegistry(usageEvents);

function entry(name: string, used = '5'): UsageEntry & { tenantId: string } {
  const counted = { used, first: '0', last: used, restarts: 0 };
  return {
    containerId: deriveId('container', name),
    tenantId: home,
    ...{ from: hour, to: over, gapSeconds: 0, memoryPeakBytes: '1', processesPeak: 1 },
    ...{ diskBytes: '1', cpuNanos: counted, receivedBytes: counted, sentBytes: counted },
  };
}

interface Report {
  readonly node?: string;
  readonly meter?: string;
  readonly part?: number;
  readonly digest?: string;
  readonly complete?: boolean;
  readonly concerned?: string[] | null;
  readonly entries?: (UsageEntry & { tenantId: string })[];
}

/** A stream that decides and folds as the host does. */
class Hour {
  state: UsageState = usageHour.initial();
  readonly log: Decided[] = [];
  now = over;

  report(report: Report = {}): readonly string[] | string {
    return this.#when((state, at) =>
      recordUsage(
        state,
        {
          ...{ homeId: home, hour, samples: 12 },
          nodeId: report.node ?? a,
          meterId: uuidOf(report.meter ?? 'meter'),
          part: report.part ?? 0,
          samplesDigest: (report.digest ?? 'd').repeat(64),
          entries: report.entries ?? [entry('web')],
          complete: report.complete ?? true,
          concerned: report.concerned === undefined ? [a] : report.concerned,
        },
        at,
      ),
    );
  }

  close(): readonly string[] | string {
    return this.#when((state, at) => closeUsageHour(state, { homeId: home, hour }, at));
  }

  #when(decide: (state: UsageState, at: DecideContext) => Decision): readonly string[] | string {
    const decision = decide(this.state, { ...context(this.now), stream: usageStream(home, hour) });
    if (decision.kind === 'refused') return decision.refusal.code;
    for (const event of decision.events) {
      this.log.push(event);
      const revision = BigInt(this.log.length - 1);
      const recorded = registry.decode({
        ...registry.encode(event),
        ...{ id: uuidOf('usage', `${revision}`), type: event.type, time: this.now },
        ...{ tenantid: home, homeid: home, actorid: 'node:a', correlationid: 'c' },
        ...{ causationid: 'c', commandkey: 'k', inputhash: '', epoch: 'e' },
        ...{ stream: usageStream(home, hour), revision, position: formatPosition(revision + 1n) },
      });
      if (recorded === undefined) throw new Error(`${event.type} is not declared`);
      this.state = usageHour.evolve(this.state, recorded);
    }
    return decision.events.map(({ type }) => type.slice('quotas.'.length));
  }
}

describe('an hour of use', () => {
  test('is closed when every node concerned has reported, and not before', () => {
    const there = new Hour();
    expect(there.report({ node: a, concerned: [a, b] })).toEqual(['UsageRolledUp']);
    expect(there.report({ node: b, meter: 'other', concerned: [a, b] })).toEqual([
      'UsageRolledUp',
      'UsageHourClosed',
    ]);
    expect(there.close()).toEqual([]);
  });

  test('waits for the last part of a report, also where that says nothing of this tree', () => {
    const there = new Hour();
    expect(there.report({ part: 0, complete: false })).toEqual(['UsageRolledUp']);
    expect(there.report({ part: 1, entries: [] })).toEqual(['UsageHourClosed']);
  });

  test('is closed when its time is over, and says who is missing', () => {
    const there = new Hour();
    there.report({ node: a, concerned: [a, b] });
    expect(there.close()).toBe('USAGE_HOUR_NOT_OVER');
    there.now = closesAt(hour);
    expect(there.close()).toEqual(['UsageHourClosed']);
    expect(there.log.at(-1)?.data).toMatchObject({ reported: [a], missing: [b] });
  });

  test('is amended by what comes after it was closed', () => {
    const there = new Hour();
    there.report({ node: a });
    expect(there.report({ node: b, meter: 'other' })).toEqual(['UsageAmended']);
  });

  test('takes a part once, and believes no second figure for it', () => {
    const there = new Hour();
    there.report({ concerned: [a, b] });
    expect(there.report({ concerned: [a, b] })).toEqual([]);
    expect(there.report({ concerned: [a, b], digest: 'e' })).toBe('USAGE_DIFFERS');
    // An agent that lost its samples counts anew.
    expect(there.report({ meter: 'new', digest: 'e', concerned: [a, b] })).toEqual([
      'UsageRolledUp',
    ]);
  });

  test('is not reported before it is over, but for clocks that differ a little', () => {
    const there = new Hour();
    there.now = plusSeconds(hour, 1800);
    expect(there.report()).toBe('USAGE_EARLY');
    there.now = plusSeconds(hour, 3595);
    expect(there.report()).toEqual(['UsageRolledUp', 'UsageHourClosed']);
  });

  test('that nobody used anything in has no events', () => {
    expect(new Hour().report({ entries: [], concerned: [] })).toEqual([]);
  });

  test('fits an event however many containers have used however much', () => {
    const huge = '9'.repeat(19);
    const counted = { used: huge, first: huge, last: huge, restarts: 999_999 };
    const there = new Hour();
    const entries = Array.from({ length: MOST_IN_PART }, (_, n) => ({
      ...entry(`c${n}`),
      ...{ cpuNanos: counted, receivedBytes: counted, sentBytes: counted, diskBytes: huge },
      ...{ memoryPeakBytes: huge, gapSeconds: 9_999_999, processesPeak: 9_999_999 },
    }));
    const concerned = Array.from({ length: MOST_CONCERNED }, (_, n) => deriveId('node', `${n}`));
    there.report({ entries, concerned, part: 999 });
    const [event] = there.log;
    if (event === undefined) throw new Error('nothing was recorded');
    expect(registry.encode(event).data.length).toBeLessThan(MAX_EVENT_BYTES);
  });

  test('has the same sum whatever comes twice and in whatever order', () => {
    const parts = [0, 1, 2].flatMap((part) =>
      [a, b].map((node) => ({
        node,
        meter: node,
        part,
        concerned: [a, b],
        complete: part === 2,
        entries: [entry(`${node} ${part}`, String(part + 1))],
      })),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 30 }), (order) => {
        const there = new Hour();
        const sent = [...order, 0, 1, 2, 3, 4, 5];
        for (const n of sent) there.report(parts[n] ?? {});
        const sums = there.log.flatMap(({ type, data }) =>
          type === 'quotas.UsageHourClosed'
            ? []
            : (data as { entries: UsageEntry[] }).entries.map(({ cpuNanos }) =>
                Number(cpuNanos.used),
              ),
        );
        expect(sums.reduce((sum, used) => sum + used, 0)).toBe(12);
        expect(there.log.filter(({ type }) => type === 'quotas.UsageHourClosed')).toHaveLength(1);
      }),
    );
  });
});
