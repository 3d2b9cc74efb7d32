/** An order on processes is one trace: every part sends its own spans, and together they are one tree. */
import { afterAll, expect, test } from '@jest/globals';
import { processes } from '@bivouac/all';
import { traceIdOf } from '@bivouac/infra/tracing';

import { closeAll, open } from '../e2e/installation.ts';
import { removeBuilds } from '../../infra/process/testing/program.ts';
import { bundled } from '../processes/builds.ts';
import { receiveTraces, rootsOf, treeOf, upFrom } from '../traces/receiver.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

const TIMEOUT = 300_000;
afterAll(closeAll);
afterAll(removeBuilds);

test.each([1, 2])(
  'an order on %i of each is one tree, over HTTP, Kafka and the agent’s socket',
  async (replicas) => {
    if (!(await kafkaIsThere())) return;
    const { url, spansOf, texts, close } = await receiveTraces();
    const settings = { NODE_URL: 'fake:', OTEL_EXPORTER_OTLP_ENDPOINT: url };
    const kind = processes({ busUrl, replicas, build: bundled(), settings });
    try {
      const running = await open({ kind });
      const client = running.client(running.keys.owner, { 'x-request-id': 'order-1' });
      const hostname = 'canary.example.com';
      const ended = await running.end(await running.order({ hostname }, 'key-1', client));
      expect(ended.status).toBe('SUCCEEDED');
      await running.quiet();
      // Each sends what is left of its spans.
      await running.stop();

      const spans = spansOf(traceIdOf('order-1'));
      const { roots, orphans } = rootsOf(spans);
      expect(roots.map(({ name, service }) => [name, service])).toEqual([
        ['mutation provisionContainer', 'bivouac-gateway'],
      ]);
      expect(orphans.map(({ name, service }) => `${name} of ${service}`)).toEqual([]);
      const parts = [
        ...['accounts', 'billing', 'containers', 'endpoint', 'gateway', 'nodes'],
        ...['packages', 'provisioning', 'quotas', 'relay'],
      ];
      expect([...new Set(spans.map(({ service }) => service))].sort()).toEqual(
        parts.map((name) => `bivouac-${name}`),
      );
      const end = spans.find(({ name }) => name === 'append provisioning.OperationSucceeded');
      if (end === undefined) throw new Error(`the order has no end:\n${treeOf(spans)}`);
      const way = upFrom(end, spans).map(({ name, service }) => `${service} ${name}`);
      for (const station of [
        'bivouac-provisioning bus operations.AskAnswered',
        'bivouac-relay publish operations.AskAnswered',
        'bivouac-containers serve containers.ReportAnswer',
        'bivouac-endpoint call containers.ReportAnswer',
        'bivouac-endpoint answer build',
        'bivouac-nodes step build',
        'bivouac-endpoint instruct build',
        'bivouac-gateway call provisioning.StartOperation',
      ])
        expect(way).toContain(station);
      expect(texts.join('\n')).not.toContain('canary');
    } finally {
      await kind.dispose();
      await close();
    }
  },
  TIMEOUT,
);
