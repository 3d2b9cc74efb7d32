/** An order is one trace, from the request to the node's answer; and a trace does nothing to anybody. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

import { afterAll, afterEach, expect, test } from '@jest/globals';
import { createLogger, readConfig } from '@bivouac/infra/runtime';
import { startTracing, traceIdOf, type Tracing } from '@bivouac/infra/tracing';

import { type Receiver, receiveTraces, rootsOf, treeOf, upFrom } from '../traces/receiver.ts';
import { closeAll, newFolder, open, type Running } from './installation.ts';

const silent = createLogger('silent', process.stderr);
const receivers: Receiver[] = [];
let tracing: Tracing | undefined;

afterEach(async () => {
  await tracing?.stop(10_000);
});
afterAll(async () => {
  await closeAll();
  for (const receiver of receivers.splice(0)) await receiver.close();
});

async function receiver(answers?: 'never'): Promise<Receiver> {
  const made = await receiveTraces(answers);
  receivers.push(made);
  return made;
}

async function traced(url: string, settings: Record<string, string> = {}): Promise<Tracing> {
  const config = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...settings });
  tracing = await startTracing(config, 'bivouac', silent);
  return tracing;
}

/** An order whose trace is that of the request id, to its end. */
async function order(running: Running, requestId: string): Promise<string> {
  const client = running.client(running.keys.owner, { 'x-request-id': requestId });
  const hostname = `canary-${requestId}.example.com`;
  const ended = await running.end(await running.order({ hostname }, `key of ${requestId}`, client));
  await running.quiet();
  return ended.status;
}

test('an order is one tree, from the request over command, log, bus and policy to the node and back', async () => {
  const { url, spansOf, texts } = await receiver();
  const sending = await traced(url);
  const running = await open();
  expect(await order(running, 'order-1')).toBe('SUCCEEDED');
  await sending.stop(10_000);

  const spans = spansOf(traceIdOf('order-1'));
  const { roots, orphans } = rootsOf(spans);
  expect(orphans.map(({ name }) => name)).toEqual([]);
  expect(roots.map(({ name }) => name)).toEqual(['mutation provisionContainer']);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);

  const end = spans.find(({ name }) => name === 'append provisioning.OperationSucceeded');
  if (end === undefined) throw new Error(`the order has no end:\n${treeOf(spans)}`);
  const way = upFrom(end, spans).map(({ name }) => name);
  // Backwards: why the operation has succeeded, up to the request.
  const stations = [
    /^append provisioning\.OperationSucceeded$/,
    /^command provisioning\./,
    /^react provisioning\./,
    /^bus operations\.AskAnswered$/,
    /^append operations\.AskAnswered$/,
    /^react containers\.settle-asks$/,
    /^bus containers\.AskSettled$/,
    /^append containers\.AskSettled$/,
    /^command containers\.ReportAnswer$/,
    /^answer build$/,
    /^step build$/,
    /^instruct build$/,
    /^append containers\.InstructionIssued$/,
    /^react containers\./,
    /^append provisioning\.StepAsked$/,
    /^command provisioning\.StartOperation$/,
    /^mutation provisionContainer$/,
  ];
  let at = 0;
  for (const station of stations) {
    const found = way.findIndex((name, index) => index >= at && station.test(name));
    if (found === -1) throw new Error(`${String(station)} is not on the way:\n${way.join('\n')}`);
    at = found + 1;
  }

  // Law 11: nothing that somebody has typed, no key.
  const everything = texts.join('\n');
  for (const canary of ['canary-order-1', '@', running.keys.owner, 'key of order-1'])
    expect(everything).not.toContain(canary);
});

test('what is read again makes no span: rebuilding, starting again, repeating a command', async () => {
  const { url, spansOf } = await receiver();
  const first = await traced(url);
  const running = await open();
  await order(running, 'order-2');
  await first.stop(10_000);
  const trace = traceIdOf('order-2');
  const before = spansOf(trace).length;
  expect(before).toBeGreaterThan(20);

  const second = await traced(url);
  for (const service of ['containers', 'provisioning', 'billing'])
    await running.installation.host.follower.rebuild(service);
  await running.stop();
  const again = await open({ folder: running.folder, now: running.clock.now() });
  const repeated = await again.order(
    { hostname: 'canary-order-2.example.com' },
    'key of order-2',
    again.client(again.keys.owner, { 'x-request-id': 'repeat-of-2' }),
  );
  expect(repeated).toMatchObject({ repeated: true });
  await again.quiet();
  await second.stop(10_000);
  expect(spansOf(trace)).toHaveLength(before);
  const names = spansOf(traceIdOf('repeat-of-2')).map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('append '))).toEqual([]);
  expect(names).toContain('mutation provisionContainer');
});

test('a collector that is not there, or never answers, costs no request anything', async () => {
  const mute = await receiver('never');
  const gone = await receiver();
  await gone.close();
  for (const [name, { url }] of Object.entries({ mute, gone })) {
    const sending = await traced(url, { OTEL_EXPORTER_OTLP_TIMEOUT: '100' });
    const running = await open();
    expect(await order(running, `order-${name}`)).toBe('SUCCEEDED');
    await sending.stop(50);
  }
});

test('a ratio keeps whole traces, and the same ones everywhere', async () => {
  const { url, spansOf } = await receiver();
  const sending = await traced(url, {
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.5',
  });
  const running = await open();
  const ids = Array.from({ length: 12 }, (_, n) => `ratio-${n}`);
  for (const id of ids) await order(running, id);
  await sending.stop(10_000);
  const kept = ids.map((id) => spansOf(traceIdOf(id))).filter((spans) => spans.length > 0);
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(ids.length);
  for (const spans of kept) {
    const { roots, orphans } = rootsOf(spans);
    expect([roots.length, orphans.length]).toEqual([1, 0]);
  }
});

test('SIGTERM sends what is left', async () => {
  const { url, spansOf } = await receiver();
  const folder = await newFolder();
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', 'tsx', 'services/all/src/main.ts'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...{ PORT: '0', DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}` },
        ...{ LOG_LEVEL: 'silent', OTEL_EXPORTER_OTLP_ENDPOINT: url },
      },
    },
  );
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let address = '';
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    address = /ready: (\S+)/.exec(line)?.[1] ?? '';
    if (address !== '') break;
  }
  child.stdout.resume();
  const key = (await readFile(join(folder, 'demo.key'), 'utf8')).trim();
  const answer = await fetch(address, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      'x-request-id': 'last-words',
    },
    body: '{"query":"{ accounts(first: 1) { edges { node { id } } } }"}',
  });
  expect(answer.status).toBe(200);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(spansOf(traceIdOf('last-words')).map(({ name }) => name)).toContain('query accounts');
}, 60_000);
