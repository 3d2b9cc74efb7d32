// What the bus brings reaches the node it concerns; what cannot be read or was missed reaches all.
import { InstructionIssued } from '@bivouac/events/containers';
import { formatPosition, type StoredEvent } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { expect, test } from '@jest/globals';

import { hearing } from './hearing.ts';
import { NodeNews } from './node-news.ts';

const nodes = ['one', 'two'].map((name) => deriveId('node', name));

function rig() {
  const news = new NodeNews();
  const told: [string, string | undefined][] = [];
  let rechecked = 0;
  news.onInstruction((nodeId, position) => told.push([nodeId, position]));
  const heard = hearing(news, {
    endpoint: { connected: () => nodes },
    gate: { recheck: () => (rechecked += 1) },
  });
  return { ...heard, told, rechecked: () => rechecked };
}

function stored(position: number, type: string, schemaver = 1, data = '{}'): StoredEvent {
  return {
    ...{ id: `0000000${position}-0000-5000-8000-000000000000`, type, schemaver },
    ...{ stream: 'container-x', revision: 0n, position: formatPosition(BigInt(position)) },
    ...{ epoch: 'e', time: '2026-04-10T09:00:00.000Z', data: Buffer.from(data) },
    ...{ tenantid: 't', homeid: 'h', actorid: 'a', correlationid: 'c', causationid: 'c' },
    ...{ commandkey: 'k', inputhash: '' },
  };
}

test('what concerns no node is nobody’s news', () => {
  const { onEvents, told, rechecked } = rig();
  onEvents([stored(1, 'billing.InvoiceIssued', 9), stored(2, 'accounts.TenantCreated')]);
  expect([told, rechecked()]).toEqual([[], 0]);
});

test.each([
  ['of a newer version', 99, '{}'],
  ['that is damaged', 1, '{"nodeId":1}'],
])(
  'an instruction %s is looked for by every node, and the listening goes on',
  (_, version, data) => {
    const { onEvents, told, rechecked } = rig();
    const { type } = InstructionIssued;
    onEvents([stored(7, type, version, data), stored(8, type, version, data)]);
    const expected = [7, 8].flatMap((n) => nodes.map((id) => [id, formatPosition(BigInt(n))]));
    expect(told).toEqual(expected);
    expect(rechecked()).toBe(2);
  },
);

test('where something was missed, everybody looks, and every key is asked for again', () => {
  const { onMissed, told, rechecked } = rig();
  onMissed(undefined);
  expect(told).toEqual(nodes.map((id) => [id, undefined]));
  expect(rechecked()).toBe(1);
});
