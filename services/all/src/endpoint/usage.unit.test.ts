/** A node's report reaches the trees it concerns, each container's use its own, and nobody else's. */
import { expect, test } from '@jest/globals';
import { SubjectsOfUsage } from '@bivouac/containers/api';
import type { NodeEndpointOptions } from '@bivouac/containers';
import type { UsageEntry, UsageMessage } from '@bivouac/events/node';
import { deriveId } from '@bivouac/events/values';
import { RecordUsage } from '@bivouac/quotas/api';
import type { z } from 'zod';

import { usageRecorder } from './usage.ts';

const node = deriveId('node', 'a');
const [alpha, beta, sub] = ['alpha', 'beta', 'sub'].map((name) => deriveId('tenant', name)) as [
  string,
  string,
  string,
];
const container = (name: string): string => deriveId('container', name);

function entry(name: string): UsageEntry {
  const counted = { used: '1', first: '0', last: '1', restarts: 0 };
  return {
    containerId: container(name),
    ...{ from: '2026-04-10T09:00:00.000Z', to: '2026-04-10T10:00:00.000Z', gapSeconds: 0 },
    ...{ memoryPeakBytes: '1', processesPeak: 1, diskBytes: null },
    ...{ cpuNanos: counted, receivedBytes: counted, sentBytes: counted },
  };
}

function report(part: number, parts: number, ...names: readonly string[]): UsageMessage {
  return {
    type: 'usage',
    meterId: '00000000-0000-4000-8000-000000000001',
    hour: '2026-04-10T09:00:00.000Z',
    ...{ part, parts, samples: 12, samplesDigest: 'd'.repeat(64) },
    usage: names.map(entry),
  };
}

/** Whose containers are, and what is recorded. */
class Bench {
  readonly recorded: z.output<typeof RecordUsage.input>[] = [];
  readonly keys: string[] = [];
  readonly said: unknown[] = [];
  readonly refuse = new Map<string, { code: string; message: string }>();
  readonly owners = new Map([
    [container('a1'), { tenantId: alpha, homeId: alpha }],
    [container('a2'), { tenantId: sub, homeId: alpha }],
    [container('b1'), { tenantId: beta, homeId: beta }],
  ]);
  #keys = 0;

  readonly record = usageRecorder({
    newId: () => `key ${++this.#keys}`,
    log: (_level, facts) => this.said.push(facts),
    query: ((_node, contract, input) => {
      expect(contract.name).toBe(SubjectsOfUsage.name);
      const { containerIds, homeIds } = SubjectsOfUsage.input.parse(input);
      const containers = containerIds.flatMap((containerId) => {
        const owner = this.owners.get(containerId);
        return owner === undefined ? [] : [{ containerId, ...owner }];
      });
      const homes = [...new Set([...homeIds, ...containers.map(({ homeId }) => homeId)])];
      const result = { containers, homes: homes.map((homeId) => ({ homeId, nodes: [node] })) };
      return Promise.resolve({ ok: true, result, position: null });
    }) as NodeEndpointOptions['query'],
    command: ((_node, contract, input, key) => {
      expect(contract.name).toBe(RecordUsage.name);
      const parsed = RecordUsage.input.parse(input);
      const refusal = this.refuse.get(parsed.homeId);
      if (refusal !== undefined) return Promise.resolve({ ok: false, refusal });
      this.recorded.push(parsed);
      this.keys.push(key);
      return Promise.resolve({ ok: true });
    }) as NodeEndpointOptions['command'],
  });

  /** By home: the containers recorded and whether that was all. */
  told(): readonly (readonly [string, readonly string[], boolean])[] {
    return this.recorded.map(({ homeId, entries, complete }) => [
      homeId,
      entries.map(({ containerId, tenantId }) => `${containerId} ${tenantId}`),
      complete,
    ]);
  }
}

test('is divided by tree, each entry with its own tenant', async () => {
  const bench = new Bench();
  expect(await bench.record(node, report(0, 1, 'a1', 'b1', 'a2'))).toEqual({ ok: true });
  expect(bench.told()).toEqual([
    [alpha, [`${container('a1')} ${alpha}`, `${container('a2')} ${sub}`], true],
    [beta, [`${container('b1')} ${beta}`], true],
  ]);
});

test('says nothing of containers that the node never had', async () => {
  const bench = new Bench();
  await bench.record(node, report(0, 1, 'a1', 'stolen'));
  expect(bench.told()).toEqual([[alpha, [`${container('a1')} ${alpha}`], true]]);
  expect(bench.said).toEqual([expect.objectContaining({ foreign: 1 })]);
});

test('is complete for every tree with the last part, also for those that are not in it', async () => {
  const bench = new Bench();
  await bench.record(node, report(0, 2, 'a1'));
  await bench.record(node, report(1, 2, 'b1'));
  expect(bench.told()).toEqual([
    [alpha, [`${container('a1')} ${alpha}`], false],
    [alpha, [], true],
    [beta, [`${container('b1')} ${beta}`], true],
  ]);
});

test('comes again under another key: the nodes concerned may be others by then', async () => {
  const bench = new Bench();
  await bench.record(node, report(0, 1, 'a1'));
  await bench.record(node, report(0, 1, 'a1'));
  expect(new Set(bench.keys).size).toBe(2);
});

test('is recorded for every tree, whichever refuses its part, and that is said', async () => {
  const bench = new Bench();
  bench.refuse.set(alpha, { code: 'USAGE_DIFFERS', message: 'the first stands' });
  expect(await bench.record(node, report(0, 1, 'a1', 'b1'))).toEqual({
    ok: false,
    refusal: { code: 'USAGE_DIFFERS', message: 'the first stands' },
  });
  expect(bench.told().map(([home]) => home)).toEqual([beta]);
});
