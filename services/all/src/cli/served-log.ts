/**
 * The log on an EventStoreDB as `log verify`, `log replay` and `log bills` read one: up to where it
 * ended when they began. Its bytes are the server's to look after; what is checked here is what they say.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { formatPosition, parsePosition, type StoredEvent } from '@bivouac/events/language';
import {
  type EventStore,
  EventStoreError,
  type LogHead,
  openExistingStore,
} from '@bivouac/infra/event-store';

import type { ReadLog } from './log-reader.ts';

const PAGE = 1000;

/** Whether a log is named by a URL, not by a folder. */
export function isServed(log: string): boolean {
  return /^esdb(\+discover)?:/.test(log);
}

/** Opens it and writes nothing. Throws an EventStoreError where it is away or none is there. */
export async function openServedLog(url: string): Promise<ReadLog> {
  // What the adapter may keep beside a log: nothing of it is needed afterwards.
  const folder = mkdtempSync(join(tmpdir(), 'bivouac-log-'));
  const close = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  let store: EventStore | undefined;
  try {
    store = await openExistingStore({ url, folder });
    return readLog(store, await store.head(), close);
  } catch (error) {
    await store?.close();
    close();
    throw error;
  }
}

function readLog(
  store: EventStore,
  { epoch, position: head }: LogHead,
  close: () => void,
): ReadLog {
  return {
    epoch,
    head,
    wholeFaults: () => [],
    rows: async function* () {
      for await (const event of eventsUpTo(store, head)) {
        yield { position: event.position, event, faults: [] };
      }
    },
    at: async (position) => {
      const after = formatPosition(parsePosition(position) - 1n);
      const [event] = (await store.readAll({ after, limit: 1 })).events;
      return event?.position === position ? event : undefined;
    },
    close: async () => {
      await store.close();
      close();
    },
  };
}

async function* eventsUpTo(
  store: EventStore,
  head: string | null,
): AsyncGenerator<StoredEvent, void, undefined> {
  let after: string | undefined;
  while (head !== null && after !== head) {
    const page = await store.readAll(
      after === undefined ? { limit: PAGE } : { after, limit: PAGE },
    );
    for (const event of page.events) {
      if (event.position > head) return;
      after = event.position;
      yield event;
    }
    if (page.events.length === 0) {
      throw new EventStoreError(
        'corrupt',
        `the log ends at ${after ?? 'its start'}, before ${head}`,
      );
    }
  }
}
