/** What an instruction comes of goes with its answer, and traces are told to agents that want them. */
import { afterEach, expect, test } from '@jest/globals';
import type { CommandReply } from '@bivouac/events/language';
import { type EndpointMessage, NODE_PROTOCOL } from '@bivouac/events/node';
import { deriveId } from '@bivouac/events/values';
import { createLogger, readConfig } from '@bivouac/infra/runtime';
import { startTracing, traceIdOf, type Tracing } from '@bivouac/infra/tracing';

import { nodeEndpoint } from './node-endpoint.ts';
import type { Because, NodeEndpointOptions } from './node-endpoint-options.ts';

const nodeId = deriveId('node', 'a');
const containerId = deriveId('container', 'a');
const instructionId = deriveId('instruction', 'a');
const cause = { eventId: '4f0c6a4e-0000-5000-8000-000000000000', correlationId: 'order-1' };
const hello = {
  ...{ type: 'hello', nodeId, protocol: NODE_PROTOCOL },
  inventory: {
    ...{ engine: 'fake', engineVersion: '1', kernel: 'none', cpuMillis: 1 },
    ...{ memoryBytes: '1', diskBytes: '1', features: [] },
  },
};

let tracing: Tracing | undefined;
afterEach(async () => {
  await tracing?.stop(0);
  tracing = undefined;
});

/** Nobody takes the spans: they are not what is looked at here. */
async function trace(): Promise<void> {
  const config = readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1',
  });
  tracing = await startTracing(config, 'test', createLogger('silent'));
}

interface Reported {
  readonly input: Readonly<Record<string, unknown>>;
  readonly because: Because | undefined;
}

/** An endpoint with one instruction in the queue, and what is asked of the service. */
function connected() {
  const told: EndpointMessage[] = [];
  const reported: Reported[] = [];
  const done: CommandReply<unknown> = {
    ...{ ok: true, result: {}, stream: '', revision: 0n, position: undefined, repeated: false },
  };
  const instruction = {
    ...{ step: 'start', input: {}, containerId, generation: 1, instructionId },
    notAfter: '2026-04-10T09:00:00.000Z',
  };
  const endpoint = nodeEndpoint({
    command: ((_node, { name }, input, _key, because) => {
      if (name === 'containers.ReportAnswer')
        reported.push({ input: input as Reported['input'], because });
      return Promise.resolve(done);
    }) as NodeEndpointOptions['command'],
    query: ((_node, _contract, input) => {
      const { after } = input as { after?: string };
      const items = after === undefined ? [{ cursor: '1', instruction, stray: false, cause }] : [];
      return Promise.resolve({
        ok: true,
        result: { known: true, items, end: true },
        position: null,
      });
    }) as NodeEndpointOptions['query'],
    onNewInstruction: () => () => undefined,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    newId: () => 'key',
    log: () => undefined,
  });
  const connection = endpoint.connect(nodeId, (message) => {
    told.push(message);
  });
  const answer = { type: 'answer', containerId, instructionId, outcome: 'done' };
  return {
    reported,
    instructed: async (greeting: object) => {
      connection.receive(greeting);
      await turns();
      return told.find((message) => message.type === 'instruct');
    },
    answered: async (more: object = {}) => {
      connection.receive({ ...answer, ...more });
      await turns();
    },
  };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 8; i++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

const because = { correlationId: 'order-1', causationId: cause.eventId };

test('an answer is recorded as what has come of the instruction, also where nothing is traced', async () => {
  const { instructed, answered, reported } = connected();
  expect(await instructed(hello)).not.toHaveProperty('traceparent');
  await answered();
  expect(reported).toMatchObject([{ because }]);
});

test('an agent that does not say that it takes part is told of no trace: an older one would not understand', async () => {
  await trace();
  const { instructed, answered, reported } = connected();
  expect(await instructed(hello)).not.toHaveProperty('traceparent');
  await answered();
  expect(reported).toMatchObject([{ because }]);
});

test('one that does is told, and what it says of its own is no part of the answer', async () => {
  await trace();
  const { instructed, answered, reported } = connected();
  expect(await instructed({ ...hello, traces: true })).toMatchObject({
    traceparent: expect.stringMatching(`^00-${traceIdOf('order-1')}-[0-9a-f]{16}-01$`) as unknown,
  });
  await answered({ traceparent: `00-${traceIdOf('foreign')}-00000000000000aa-01` });
  expect(reported).toEqual([
    { because, input: { nodeId, containerId, instructionId, outcome: 'done' } },
  ]);
});
