/**
 * The alert rules in a real Prometheus that scrapes a real installation: quiet while all is well, firing when
 * something is wrong. Needs Prometheus (Debian: apt-get install prometheus).
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { seed, START, startEmbedded } from '@bivouac/all';
import { DunningHoldDue } from '@bivouac/events/billing';
import { eventRegistry } from '@bivouac/events/language';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { Closing, serveMetrics } from '@bivouac/infra/process';
import { createLogger, ManualClock, portsOfDataFolder, readConfig } from '@bivouac/infra/runtime';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

const run = promisify(execFile);
const RULES = new URL('../../infra/deploy/prometheus/alerts.yml', import.meta.url);
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Whether it is installed. Where it is not: says so, and fails where nothing may be missing. */
async function prometheusIsThere(): Promise<boolean> {
  try {
    await run('promtool', ['--version']);
    return true;
  } catch {
    const missing = 'Prometheus is not installed: apt-get install prometheus.';
    if (process.env['CI'] === 'true') throw new Error(missing);
    console.warn(missing);
    return false;
  }
}

const AlertsSchema = z.object({
  data: z.object({
    alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })),
  }),
});

/** A Prometheus that scrapes there each second, with the rules as they are but for how long they wait. */
async function prometheusOf(target: string): Promise<() => Promise<readonly string[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-prometheus-'));
  const rules = (await readFile(RULES, 'utf8')).replaceAll(/^( +for:) .*$/gm, '$1 0s');
  await writeFile(join(folder, 'alerts.yml'), rules);
  await writeFile(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['alerts.yml'],
      scrape_configs: [{ job_name: 'bivouac', static_configs: [{ targets: [target] }] }],
    }),
  );
  const child = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  ends.push(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const [, port] = /"Listening on" address=127\.0\.0\.1:(\d+)/.exec(said) ?? [];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    child.once('exit', () => reject(new Error(`Prometheus has ended: ${said.slice(-2000)}`)));
  });
  return async () => {
    const answer = await fetch(`${url}/api/v1/alerts`);
    // It listens before it is ready.
    if (!answer.ok) return [];
    return AlertsSchema.parse(await answer.json())
      .data.alerts.filter(({ state }) => state === 'firing')
      .map(({ labels }) => labels['alertname'] ?? '');
  };
}

/** Asks again and again: Prometheus tells nobody when it has scraped and evaluated. */
async function firing(
  alerts: () => Promise<readonly string[]>,
  met: (names: readonly string[]) => boolean,
): Promise<readonly string[]> {
  for (;;) {
    const names = await alerts();
    if (met(names)) return names;
    await pause(250);
  }
}

test('the rules are ones that Prometheus takes', async () => {
  if (!(await prometheusIsThere())) return;
  const { stdout } = await run('promtool', ['check', 'rules', RULES.pathname]);
  expect(stdout).toContain('SUCCESS');
});

test('each rule fires beyond its limit and not at it, by what Prometheus itself makes of both', async () => {
  if (!(await prometheusIsThere())) return;
  const cases = new URL('../../infra/deploy/prometheus/alerts.test.yml', import.meta.url);
  const named = (await readFile(cases, 'utf8')).matchAll(/alertname="(\w+)"/g);
  const rules = (await readFile(RULES, 'utf8')).matchAll(/alert: (\w+)/g);
  expect(new Set([...named].map(([, name]) => name))).toEqual(
    new Set([...rules].map(([, name]) => name)),
  );
  const { stdout } = await run('promtool', ['test', 'rules', cases.pathname]);
  expect(stdout).toContain('SUCCESS');
});

test('no backup, a parked home, a process that is not ready: each fires, and nothing else', async () => {
  if (!(await prometheusIsThere())) return;
  const folder = await mkdtemp(join(tmpdir(), 'bivouac-alerts-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const clock = new ManualClock(START);
  const logger = createLogger('silent', process.stderr);
  const config = {
    ...readConfig({ DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}`, PORT: '0' }),
    ...portsOfDataFolder,
  };
  let ready = true;
  const closing = new Closing();
  ends.push(() => closing.close());
  const { metrics, url = '' } = await serveMetrics(
    { config, logger, log: config, part: 'embedded', ready: () => ready },
    closing,
  );
  const installation = await startEmbedded({
    ...{ config, clock, logger, metrics, providerName: 'Measured' },
    onFailure: (error) => {
      console.error(error);
    },
  });
  ends.push(() => installation.stop(10_000));
  const { host, provider, store } = installation;
  const { customer } = await seed(host, provider);
  await host.settled();

  const alerts = await prometheusOf(new URL(url).host);
  const onlyBackup = await firing(alerts, (names) => names.includes('BackupOld'));
  expect([...new Set(onlyBackup)]).toEqual(['BackupOld']);

  const commandkey = uuidOf('overdue');
  const accountId = deriveId('tenant', 'nobody');
  const invoiceId = deriveId('invoice', 'overdue');
  const { homeId } = customer;
  await store.append('overdue-1', 'no-stream', [
    {
      ...eventRegistry([DunningHoldDue]).encode(
        DunningHoldDue({ accountId, homeId, invoiceId, stage: 'hold' }),
      ),
      ...{ id: uuidOf(commandkey, '0'), type: DunningHoldDue.type, time: instantOf(clock.now()) },
      ...{ tenantid: accountId, homeid: homeId, actorid: 'test', commandkey, inputhash: '' },
      ...{ correlationid: commandkey, causationid: commandkey },
    },
  ]);
  await host.settled();
  const parked = await firing(alerts, (names) => names.includes('HomeParked'));
  expect([...new Set(parked)].sort()).toEqual(['BackupOld', 'HomeParked']);

  ready = false;
  const down = await firing(alerts, (names) => names.includes('ProcessDown'));
  expect([...new Set(down)].sort()).toEqual(['BackupOld', 'HomeParked', 'ProcessDown']);
});
