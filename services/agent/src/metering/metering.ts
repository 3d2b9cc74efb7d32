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

/** A clock set back by more than this was wrong before; by less it is waited for. */
const CLOCK_BACK = 3_600_000;

/** Begins to count: what containers used before the first sample of all is not reported. */
export async function startMetering(options: MeteringOptions): Promise<Metering> {
  const { driver, folder, clock, everyMs, log } = options;
  let store = await opened(options);
  const stopping = new AbortController();
  let send: ((message: AgentMessage) => void) | undefined;
  /** Sent on this connection, as `hour/part`. */
  const sent = new Set<string>();
  /** One sample after the other. */
  let turn: Promise<void> = Promise.resolve();
  /** Containers of the sample that waits for its turn: many steps at once share one. */
  let waiting: { readonly asked: Set<string>; readonly taken: Promise<void> } | undefined;

  const take = async (containerIds: readonly string[] | undefined): Promise<void> => {
    const { wholeAt } = store.state;
    if (wholeAt !== null && clock.now() + CLOCK_BACK < wholeAt) {
      // Waiting for it to catch up may take years where it was wrong before.
      log('error', { wholeAt: instantOf(wholeAt) }, 'the clock was set back; use is counted anew');
      await store.close();
      await setAside(folder);
      store = await opened(options);
    }
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

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    turn = turn
      .then(work)
      .then(report)
      .catch((error: unknown) => {
        log('warn', { error: String(error) }, 'the counters could not be read or kept');
      });
    return turn;
  };

  const sample = (containerIds?: readonly string[]): Promise<void> => {
    if (containerIds === undefined) return inTurn(() => take(undefined));
    if (waiting === undefined) {
      const asked = new Set<string>();
      const taken = inTurn(() => {
        waiting = undefined;
        return take([...asked]);
      });
      waiting = { asked, taken };
    }
    for (const containerId of containerIds) waiting.asked.add(containerId);
    return waiting.taken;
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
