/**
 * The alert rules in a real Prometheus that scrapes a real installation: quiet while all is well, firing when
 * something is wrong, quiet again when it is over. Needs Prometheus (Debian: apt-get install prometheus).
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { type ThresholdName, thresholds } from '@bivouac/infra/runtime';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { OwnRedis } from '../../infra/cache/redis/testing/server.ts';
import { alarmed } from '../alarms/alarmed.ts';
import { cacheAwayOf } from '../alarms/cache-away.ts';
import { type Fault, faults } from '../alarms/faults.ts';
import { closeAll } from '../e2e/installation.ts';

const run = promisify(execFile);
const RULES = new URL('../../infra/deploy/prometheus/alerts.yml', import.meta.url);
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await closeAll();
});
const atEnd = (end: () => unknown): void => void ends.push(end);

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

type Alert = z.output<typeof AlertsSchema>['data']['alerts'][number];

const nameOf = ({ labels }: Alert): string => labels['alertname'] ?? '';
const named = (alerts: readonly Alert[], name: string): readonly Alert[] =>
  alerts.filter((alert) => nameOf(alert) === name);

/** A Prometheus that scrapes each second what it is told, by the rules of this repository. */
class Prometheus {
  readonly #folder: string;
  readonly #url: string;

  private constructor(folder: string, url: string) {
    this.#folder = folder;
    this.#url = url;
  }

  static async start(): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'bivouac-prometheus-'));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'alerts.yml'), hastened(await readFile(RULES, 'utf8')));
    await writeFile(join(folder, 'targets.json'), '[]');
    await writeFile(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: ['alerts.yml'],
        scrape_configs: [
          {
            job_name: 'bivouac',
            file_sd_configs: [{ files: ['targets.json'], refresh_interval: '1s' }],
          },
        ],
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
    atEnd(async () => {
      child.kill('SIGKILL');
      await exited;
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
    return new Prometheus(folder, url);
  }

  /** From now on these, each an instance of its name. */
  async scrapes(processes: ReadonlyMap<string, string>): Promise<void> {
    const targets = [...processes].map(([instance, url]) => ({
      targets: [new URL(url).host],
      labels: { instance },
    }));
    await writeFile(join(this.#folder, 'targets.new'), JSON.stringify(targets));
    await rename(join(this.#folder, 'targets.new'), join(this.#folder, 'targets.json'));
  }

  /** Asks again and again: Prometheus tells nobody when it has scraped and evaluated. */
  async until(met: (firing: readonly Alert[]) => boolean): Promise<readonly Alert[]> {
    for (;;) {
      const answer = await fetch(`${this.#url}/api/v1/alerts`);
      // It listens before it is ready.
      const alerts = answer.ok ? AlertsSchema.parse(await answer.json()).data.alerts : [];
      const firing = alerts.filter(({ state }) => state === 'firing');
      if (answer.ok && met(firing)) return firing;
      await pause(250);
    }
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
}, 180_000);

/**
 * Windows and waits are of seconds here, so that a fault and its end show while a test waits; what is
 * asked, the limits and the labels stay what they are.
 */
function hastened(rules: string): string {
  return rules.replaceAll(/^( +for:) .*$/gm, '$1 0s').replaceAll(/\[(?:5|15)m\]/g, '[15s]');
}

test('what is hastened for these tests is nothing but how long a rule looks back and waits', async () => {
  const rules = await readFile(RULES, 'utf8');
  const changed = hastened(rules)
    .split('\n')
    .filter((line, i) => line !== rules.split('\n')[i]);
  expect(changed.filter((line) => !/^ +for: 0s$|\[15s\]/.test(line))).toEqual([]);
});

/** The machine of a test may be too busy, and its process says so then. */
const ON_A_BUSY_MACHINE: ThresholdName = 'EventLoopDelay';

/** The alert is quiet, fires with its labels while the fault lasts, and is quiet again. */
async function fires(fault: Fault): Promise<void> {
  const prometheus = await Prometheus.start();
  const on = await alarmed({
    atEnd,
    ...(fault.settings && { settings: fault.settings }),
    changed: (processes) => prometheus.scrapes(processes),
  });
  // That there is no backup shows that all was scraped and judged.
  const quiet = await prometheus.until((alerts) => named(alerts, 'BackupOld').length > 0);
  const others = quiet.map(nameOf).filter((name) => name !== ON_A_BUSY_MACHINE);
  expect([...new Set(others)]).toEqual(['BackupOld']);

  const end = await fault.begin(on);
  const fired = await prometheus.until((alerts) => named(alerts, fault.alert).length > 0);
  expect(named(fired, fault.alert).map(({ labels }) => labels)).toContainEqual(
    expect.objectContaining({ ...fault.labels, severity: thresholds[fault.alert].severity }),
  );
  await end();
  await prometheus.until((alerts) => named(alerts, fault.alert).length === 0);
}

test.each(faults.map((fault) => [`${fault.alert}: ${fault.how}`, fault] satisfies [string, Fault]))(
  '%s',
  async (_, fault) => {
    if (await prometheusIsThere()) await fires(fault);
  },
  180_000,
);

test('CacheAway: the Redis of CACHE_URL is killed', async () => {
  if (!(await prometheusIsThere())) return;
  const redis = await OwnRedis.start();
  atEnd(() => redis.dispose());
  await fires(cacheAwayOf(redis));
}, 180_000);
