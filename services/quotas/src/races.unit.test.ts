/** Room for N is taken exactly N times, however many reserve at once and on however many replicas. */
import { afterEach, expect, test } from '@jest/globals';
import { eventRegistry, type CommandReply, type Principal } from '@bivouac/events/language';
import { Reserved } from '@bivouac/events/quotas';
import { axes, uuidOf } from '@bivouac/events/values';
import { type EventStore, memoryEventStore } from '@bivouac/infra/event-store';
import { type Clock, commandHost, type CommandHost, type EdgePorts } from '@bivouac/infra/runtime';

import { OpenTenant, Reserve, SetLimit } from './api/index.ts';
import { ledger } from './aggregates.ts';
import { ledgerStream } from './domain/ledger.ts';
import { home, later, now, reservationId, vector } from './given.ts';
import { quotasService } from './service.ts';

const ORDERS = 1000;
const one = vector({ containers: 1, memoryBytes: '1024' });

const staff: Principal = {
  id: 'system:test',
  kind: 'system',
  tenantId: home,
  homeId: home,
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};

/** No command of quotas touches the edge. */
const ports = {
  keys: {
    hmac: (owner: string, bytes: Uint8Array) => uuidOf(owner, Buffer.from(bytes).toString()),
  },
  random: (bytes: number) => new Uint8Array(bytes).map((_, i) => (i * 97) % 256),
} as unknown as EdgePorts;

/** Stands still for deadlines, and lets whoever waits for a rival go on in the next turn. */
const clock: Clock = {
  now: () => Date.parse(now),
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
};

const stopping: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
});

function newStore(): EventStore {
  const store = memoryEventStore();
  stopping.push(() => store.close());
  return store;
}

function replica(store: EventStore): CommandHost {
  const host = commandHost({
    handlers: quotasService.commands,
    store,
    registry: eventRegistry(quotasService.events),
    clock,
    ports,
    providerId: () => home,
  });
  stopping.push(() => host.stop());
  return host;
}

async function roomFor(host: CommandHost, containers: number): Promise<void> {
  const call = { principal: staff, idempotencyKey: 'given' };
  const limit = vector({ containers, memoryBytes: '9000000000000000000' });
  await host.command(OpenTenant, { tenantId: home, homeId: home, parentId: null }, call);
  await host.command(SetLimit, { tenantId: home, homeId: home, limit, reason: 'Contract' }, call);
}

/** As every caller does it: what says that nothing was done is sent again under the same key. */
async function reserved(host: CommandHost, name: string): Promise<CommandReply<unknown>> {
  for (;;) {
    const reply = await host.command(
      Reserve,
      {
        reservationId: reservationId(name),
        tenantId: home,
        homeId: home,
        vector: one,
        notAfter: later,
      },
      { principal: staff, idempotencyKey: name },
    );
    if (reply.ok || reply.refusal.code !== 'CONTENTION') return reply;
  }
}

async function recorded(store: EventStore): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0n; ;) {
    const page = await store.readStream(ledgerStream(home), { from });
    if (!page.exists) return ids;
    for (const event of page.events) {
      if (event.type === Reserved.type) ids.push(event.commandkey);
      from = event.revision + 1n;
    }
    if (page.end) return ids;
  }
}

test.each([
  ['none', 0, 1],
  ['one', 1, 3],
  ['some, on one replica', 321, 1],
  ['some, on three replicas of one log', 321, 3],
  ['all but one', ORDERS - 1, 3],
  ['more than come', ORDERS + 1, 1],
])(
  '1,000 reservations at once against room for %s yield exactly that many',
  async (_name, room, replicas) => {
    const store = newStore();
    const hosts = Array.from({ length: replicas }, () => replica(store));
    const [first] = hosts;
    if (first === undefined) throw new Error('no replica');
    await roomFor(first, room);

    const replies = await Promise.all(
      Array.from({ length: ORDERS }, (_, n) =>
        reserved(hosts[n % replicas] ?? first, `order ${n}`),
      ),
    );
    const exactly = Math.min(room, ORDERS);
    expect(replies.filter((reply) => reply.ok)).toHaveLength(exactly);
    for (const reply of replies) {
      if (!reply.ok) expect(reply.refusal.code).toBe('QUOTA_EXCEEDED');
    }
    const taken = await recorded(store);
    expect(taken).toHaveLength(exactly);
    expect(new Set(taken).size).toBe(exactly);
    for (const host of hosts) {
      const used = await host.read(
        ledger,
        ledgerStream(home),
        ({ tenants }) => tenants.get(home)?.used[axes.indexOf('containers')],
      );
      expect(used).toBe(BigInt(exactly));
    }
  },
);
