/** Nodes of an embedded installation: none is turned away because a read model is a moment behind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { OpenNodeEnrolment, RegisterNode } from '@bivouac/containers/api';
import { formatPosition } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { createLogger, type Host, ManualClock } from '@bivouac/infra/runtime';

import { startNodes } from './nodes.ts';
import { NodeNews } from './endpoint/node-news.ts';

test('a node that was registered just now is connected, however far the read model is behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-nodes-'));
  const nodeId = deriveId('node', 'one');
  const position = formatPosition(7n);
  const done = { ok: true as const, stream: '', revision: 0n, position, repeated: false };
  /** What the read model has applied: it comes to a position when somebody waits for it. */
  let applied = '';
  let enrolled: string | undefined;
  let connected: () => void = () => undefined;
  const reported = new Promise<string>((resolve) => {
    connected = () => {
      resolve('connected');
    };
  });
  const host: Pick<Host, 'command' | 'query'> = {
    command: ((contract: { readonly name: string }, input: { readonly publicKey?: string }) => {
      if (contract.name === 'containers.ReportInventory') connected();
      if (contract.name === 'containers.EnrolNode') enrolled = input.publicKey;
      const token = contract.name === OpenNodeEnrolment.name ? `${nodeId}.${'t'.repeat(43)}` : null;
      const result = contract.name === RegisterNode.name ? { nodeId } : { token };
      return Promise.resolve({ ...done, result });
    }) as Host['command'],
    query: ((contract: { readonly name: string }, _input: unknown, call: { atLeast?: string }) => {
      if (call.atLeast !== undefined) applied = call.atLeast;
      const known = applied >= position;
      const identity = known ? { publicKey: enrolled, revokedKeys: [] } : null;
      const queue = { known, items: [], end: true };
      const result = contract.name === 'containers.IdentityOfNode' ? identity : queue;
      return Promise.resolve({ ok: true, result, position: applied });
    }) as Host['query'],
  };
  let away: () => void = () => undefined;
  const turnedAway = new Promise<string>((resolve) => {
    away = () => {
      resolve('turned away');
    };
  });
  const warn = (facts: { reason?: unknown }): void => {
    if (facts.reason === 'unknown-node') away();
  };
  const ofNode = Object.assign(createLogger('silent'), { warn });
  const nodes = await startNodes({
    host,
    news: new NodeNews(),
    sampleSeconds: 300,
    configured: [{ url: 'fake:', name: 'one' }],
    folder,
    clock: new ManualClock('2026-04-10T09:00:00.000Z'),
    logger: Object.assign(createLogger('silent'), { child: () => ofNode }),
    provider: { tenantId: deriveId('tenant', 'p'), homeId: deriveId('tenant', 'p') },
  });
  expect(await Promise.race([reported, turnedAway])).toBe('connected');
  await nodes.stop();
  await rm(folder, { recursive: true, force: true });
});
