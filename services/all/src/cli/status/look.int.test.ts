// Whatever listens where a process should: the look comes back by its deadline and says what it saw.
import { createServer, type RequestListener } from 'node:http';

import { processMetrics } from '@bivouac/infra/runtime';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { evaluate } from './evaluate.ts';
import { look } from './look.ts';
import { samplesOf } from './prometheus-text.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

async function listening(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}

/** A process that answers its health with one status and its metrics with another and a text. */
const answering =
  (health: number, metrics: number, text: string): RequestListener =>
  (request, response) => {
    const [status, body] = request.url === '/metrics' ? [metrics, text] : [health, 'so'];
    response.writeHead(status).end(body);
  };

test('a process that is well says since when it runs, and what it measures', async () => {
  const metrics = processMetrics();
  metrics.gauge('build_info', { part: 'billing', release: '7' }).set(1);
  metrics.counter('appends_total', { outcome: 'done' }).add(3);
  const { text } = await metrics.scrape();
  const url = await listening(answering(200, 200, text));
  const seen = await look({ name: 'billing', url }, 5000);
  expect(seen).toMatchObject({ answers: true, ready: true, why: undefined });
  expect(seen.samples).toContainEqual({
    name: 'bivouac_appends_total',
    labels: { outcome: 'done' },
    value: 3,
  });
  const [row] = evaluate([seen], Date.now() + 3_600_000, Date.now()).processes;
  expect(row).toMatchObject({ state: 'ready', release: '7' });
  expect(row?.uptimeSeconds).toBeGreaterThanOrEqual(3600);
});

test.each([
  ['it is not ready', answering(503, 200, 'bivouac_build_info 1'), true, undefined],
  ['another program', answering(404, 404, ''), false, /answers 404 to \/health\/ready/],
  ['no metrics', answering(200, 401, ''), true, /answers 401 to \/metrics/],
  ['a page', answering(200, 200, '<html>'), true, /not those of Bivouac/],
  ["another program's metrics", answering(200, 200, 'up 1\n'), true, /not those of Bivouac/],
  ['a mute one', () => undefined, false, /no answer within 200 ms/],
  [
    'one that is cut',
    (request, response) => {
      response.writeHead(200).write('x');
      if (request.url === '/metrics') response.destroy();
      else response.end();
    },
    true,
    /its \/metrics: /,
  ],
] satisfies [string, RequestListener, boolean, RegExp | undefined][])(
  '%s: that is what is said',
  async (_, handle, answers, why) => {
    const url = await listening(handle);
    const seen = await look({ name: 'relay', url }, why?.source.includes('within') ? 200 : 5000);
    expect(seen.answers).toBe(answers);
    if (why === undefined) expect(seen).toMatchObject({ ready: false, why });
    else expect(seen.why).toMatch(why);
    // It is never taken for well.
    expect(evaluate([seen], 0, 0).ok).toBe(false);
  },
);

test('nobody listens: the reason is the connection that was refused', async () => {
  const url = await listening(() => undefined);
  await closing.pop()?.();
  expect(await look({ name: 'relay', url }, 5000)).toMatchObject({
    answers: false,
    why: expect.stringContaining('ECONNREFUSED'),
  });
});

test('what the client of Prometheus writes is read as it was meant, whatever labels hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary' }).filter((text) => !/[\r\u2028\u2029]/.test(text)),
      fc.double(),
      async (kind, value) => {
        const metrics = processMetrics({ ofNode: false });
        metrics.gauge('operations', { kind, state: 'running' }).set(value);
        const { text } = await metrics.scrape();
        const [sample] = (samplesOf(text) ?? []).filter(
          ({ name }) => name === 'bivouac_operations',
        );
        expect(sample).toEqual({
          name: 'bivouac_operations',
          labels: { kind, state: 'running' },
          // The text has one zero.
          value: value === 0 ? 0 : value,
        });
      },
    ),
  );
});
