/**
 * Metering of one node: reads the counters every few minutes and around each step that ends them, and
 * reports each hour until that is noted. What fails here never keeps a step from being done.
 */
import {
  type AgentMessage,
  MOST_IN_PART,
  type UsageEntry,
  type UsageMessage,
} from '@bivouac/events/node';
import { instantOf } from '@bivouac/events/values';

import type { Clock } from '../driver-clock.ts';
import type { Driver } from '../driver.ts';
import { type Counted, type HourUse, NO_SAMPLES } from './meter.ts';
import { openSamples, type Part, partsOf, type SampleStore, setAside } from './store.ts';

export interface MeteringOptions {
  readonly driver: Pick<Driver, 'usage'>;
  /** Of its own: the samples. */
  readonly folder: string;
  readonly clock: Clock;
  /** How far apart samples are, in milliseconds; they lie on multiples of it. */
  readonly everyMs: number;
  readonly newId: () => string;
  readonly log: (
    level: 'info' | 'warn' | 'error',
    facts: Record<string, unknown>,
    message: string,
  ) => void;
}

export interface Metering {
  /** There is a connection: what is not noted is sent by it, and what comes. */
  connected(send: (message: AgentMessage) => void): void;
  disconnected(): void;
  /** A part need not be sent again. */
  noted(part: { readonly meterId: string; readonly hour: string; readonly part: number }): void;
  /** Reads the counters of these now, or of everything. Never rejects. */
  sample(containerIds?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Begins to count: what containers used before the first sample of all is not reported. */
export async function startMetering(options: MeteringOptions): Promise<Metering> {
  const { driver, folder, clock, everyMs, log } = options;
  const store = await opened(options);
  const stopping = new AbortController();
  let send: ((message: AgentMessage) => void) | undefined;
  /** Sent on this connection, as `hour/part`. */
  const sent = new Set<string>();
  /** One sample after the other. */
  let turn: Promise<void> = Promise.resolve();

  const take = async (containerIds: readonly string[] | undefined): Promise<void> => {
    // Before everything was seen once, one alone says nothing.
    if (containerIds !== undefined && store.state.wholeAt === null) return;
    const readings = await driver.usage(containerIds);
    await store.take({
      at: clock.now(),
      spacingMs: everyMs,
      asked: containerIds ?? null,
      readings,
    });
  };

  const report = (): void => {
    if (send === undefined) return;
    for (const part of store.unnoted()) {
      const key = `${part.hour}/${part.part}`;
      if (sent.has(key)) continue;
      sent.add(key);
      send(messageOf(store, part));
    }
  };

  const sample = (containerIds?: readonly string[]): Promise<void> => {
    turn = turn
      .then(() => take(containerIds))
      .then(report)
      .catch((error: unknown) => {
        log('warn', { error: String(error) }, 'the counters could not be read or kept');
      });
    return turn;
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const now = clock.now();
      const due = Math.floor(now / everyMs) * everyMs + everyMs;
      await clock.sleep(due - now, stopping.signal).catch(() => undefined);
      if (!stopping.signal.aborted) await sample();
    }
  };

  await sample();
  const running = run();
  return {
    connected(by) {
      send = by;
      sent.clear();
      report();
    },
    disconnected() {
      send = undefined;
    },
    noted({ meterId, hour, part }) {
      if (meterId !== store.meterId) return;
      turn = turn
        .then(() => store.note({ hour: Date.parse(hour), part }))
        .catch((error: unknown) => {
          log(
            'error',
            { error: String(error), folder },
            'a noted report could not be kept as such',
          );
        });
    },
    sample,
    async stop() {
      stopping.abort();
      await running;
      await turn;
      await store.close();
    },
  };
}

/** Damaged samples are no reason not to run: they are set aside, and counting begins anew. */
async function opened({ folder, newId, log }: MeteringOptions): Promise<SampleStore> {
  try {
    return await openSamples({ folder, newId });
  } catch (error) {
    log(
      'error',
      { error: String(error), folder },
      'samples of usage are damaged; they are set aside',
    );
    await setAside(folder);
    return openSamples({ folder, newId });
  }
}

function messageOf({ state, meterId }: SampleStore, { hour, part }: Part): UsageMessage {
  const found = state.hours.get(hour);
  const uses = [...(found?.uses ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    type: 'usage',
    meterId,
    hour: instantOf(hour),
    part,
    parts: partsOf(state, hour),
    samples: found?.samples ?? 0,
    samplesDigest: found?.digest ?? NO_SAMPLES,
    usage: uses
      .slice(part * MOST_IN_PART, (part + 1) * MOST_IN_PART)
      .map(([containerId, use]) => entryOf(containerId, use)),
  };
}

function entryOf(containerId: string, use: HourUse): UsageEntry {
  return {
    containerId,
    from: instantOf(use.from),
    to: instantOf(use.to),
    cpuNanos: countedOf(use.cpuNanos),
    receivedBytes: countedOf(use.receivedBytes),
    sentBytes: countedOf(use.sentBytes),
    gapSeconds: Math.ceil(use.gapMs / 1000),
    memoryPeakBytes: use.memoryPeakBytes.toString(),
    processesPeak: use.processesPeak,
    diskBytes: use.diskBytes?.toString() ?? null,
  };
}

function countedOf({ used, first, last, restarts }: Counted): UsageEntry['cpuNanos'] {
  return {
    used: used.toString(),
    first: first.toString(),
    last: last.toString(),
    restarts,
  };
}
