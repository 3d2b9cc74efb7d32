/** Which trace a span belongs to, and what is above it. */
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { ChosenIds } from './chosen-ids.ts';
import { spanIdOf, traceIdOf } from './derived.ts';
import { activate, appendOf, currentSpan, inSpan, startAppend, startSpan } from './spans.ts';

const exporter = new InMemorySpanExporter();
let kept = true;

beforeEach(() => {
  exporter.reset();
  kept = true;
  const ids = new ChosenIds();
  const provider = new TracerProvider({
    idGenerator: ids,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  activate({ tracer: provider.getTracer('test'), ids, sampled: () => kept });
});
afterEach(() => {
  activate(undefined);
  context.disable();
});

const internal = (name: string, correlationId?: string) =>
  ({ name, kind: 'internal', correlationId }) as const;
const event = {
  id: '4f0c6a4e-0000-5000-8000-000000000000',
  type: 'sample.Happened',
  correlationid: 'order',
  homeid: 'ten_x',
};

function sent() {
  return exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    trace: span.spanContext().traceId,
    span: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    links: span.links.map((link) => link.context.traceId),
    status: span.status,
    attributes: span.attributes,
  }));
}

test('while nothing is traced, work is done and nothing else', async () => {
  activate(undefined);
  expect(await inSpan(internal('a', 'order'), (span) => [7, span.traceparent])).toEqual([
    7,
    undefined,
  ]);
  startSpan(internal('b', 'order')).end();
  expect([appendOf(event), currentSpan(), sent()]).toEqual([undefined, undefined, []]);
});

test('a correlation id names the trace; what is under way in it is above, in another it is a link', async () => {
  await inSpan(internal('request', 'order'), async () => {
    await inSpan(internal('within', 'order'), () => undefined);
    await inSpan(internal('nameless'), () => undefined);
    await inSpan(internal('stranger', 'other'), () => undefined);
  });
  const [within, nameless, stranger, request] = sent();
  expect(request).toMatchObject({ trace: traceIdOf('order'), parent: undefined, links: [] });
  for (const span of [within, nameless])
    expect(span).toMatchObject({ trace: request?.trace, parent: request?.span, links: [] });
  expect(stranger).toMatchObject({
    ...{ trace: traceIdOf('other'), parent: undefined },
    links: [request?.trace],
  });
});

test('of a trace that is not kept there is nothing, whoever goes on with it', async () => {
  kept = false;
  await inSpan(internal('request', 'order'), async (span) => {
    expect([span.context, currentSpan()]).toEqual([undefined, undefined]);
    await inSpan(internal('within', 'order'), () => undefined);
  });
  await inSpan({ ...internal('react', 'order'), parent: appendOf(event) }, () => undefined);
  expect(sent()).toEqual([]);
});

test('where neither a correlation id nor anything under way says whose it is, there is no span', async () => {
  expect(await inSpan(internal('nobody'), () => 7)).toBe(7);
  expect(sent()).toEqual([]);
});

test('a parent of another trace is not taken: an agent cannot hang a step into a foreign trace', async () => {
  const foreign = { traceId: traceIdOf('foreign'), spanId: spanIdOf('x'), traceFlags: 1 };
  await inSpan({ ...internal('answer', 'order'), parent: foreign }, () => undefined);
  expect(sent()).toMatchObject([{ trace: traceIdOf('order'), parent: undefined }]);
});

test('whoever reads an event knows the span of its append, which is above all that comes of it', async () => {
  await inSpan(internal('command', 'order'), (span) => {
    startAppend(event, 'sample-1', 0n, span.context).end();
  });
  const spec = { ...internal('react', event.correlationid), parent: appendOf(event) };
  await inSpan(spec, () => undefined);
  const [append, command, react] = sent();
  expect(append).toMatchObject({ span: spanIdOf(event.id), parent: command?.span });
  expect(react).toMatchObject({ trace: append?.trace, parent: append?.span });
});

test('an append that failed has left no span', () => {
  startAppend(event, 'sample-1', 0n, undefined);
  expect(sent()).toEqual([]);
});

test('an error is known by its code alone, and goes on', async () => {
  const error = Object.assign(new Error('of alice@example.com'), { code: 'conflict' });
  await expect(inSpan(internal('a', 'order'), () => Promise.reject(error))).rejects.toBe(error);
  const [span] = sent();
  expect(span).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'conflict' } });
  expect(JSON.stringify(sent())).not.toContain('alice');
});
