// The compose files and the code agree: every role has a service, every setting exists, and nothing runs
// without a health check, limits and a pinned image.
import { readFileSync } from 'node:fs';

import { allServices } from '@bivouac/all/services';
import { ConfigSchema, readConfig } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';

const ServiceSchema = z.object({
  image: z.string(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }),
  mem_limit: z.string(),
  cpus: z.number(),
  restart: z.string(),
  stop_grace_period: z.string(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
});
const FileSchema = z.looseObject({ services: z.record(z.string(), ServiceSchema) });

const ScrapeSchema = z.object({
  scrape_configs: z.array(
    z.object({
      dns_sd_configs: z.array(z.object({ names: z.array(z.string()), port: z.number() })),
    }),
  ),
});

function composed(path: string) {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  return FileSchema.parse(parse(text, { merge: true }));
}

const files = [
  'docker-compose.yml',
  'infra/deploy/compose.embedded.yml',
  'infra/deploy/compose.monitoring.yml',
] as const;
const processes = composed('docker-compose.yml').services;

test('every role of the code is a service, started as that role', () => {
  const roles = Object.entries(processes).map(([name, { command }]) => [name, command.join(' ')]);
  for (const { name } of allServices) {
    if (name === 'agent') continue;
    expect(roles).toContainEqual([name, `service ${name}`]);
  }
  for (const role of ['relay', 'gateway', 'endpoint', 'seed', 'agent']) {
    expect(roles).toContainEqual([role, role]);
  }
});

test.each(files)(
  '%s has no name of its own; its images are pinned, its services limited and watched',
  (file) => {
    const { services, ...rest } = composed(file);
    expect(rest).not.toHaveProperty('name');
    for (const [name, service] of Object.entries(services)) {
      expect({ name, image: service.image }).toEqual({
        name,
        image: expect.stringMatching(/:v?\d+\.\d+\.\d+/),
      });
      const once = service.restart === 'on-failure';
      expect({ name, watched: (service.healthcheck.test ?? []).length > 0 }).toEqual({
        name,
        watched: !once,
      });
      expect(service.ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
    }
  },
);

test.each(files)('%s sets what exists, and what each process can be started with', (file) => {
  for (const [name, { image, environment }] of Object.entries(composed(file).services)) {
    if (!image.startsWith('bivouac:')) continue;
    expect({
      name,
      unknown: Object.keys(environment).filter((key) => !(key in ConfigSchema.shape)),
    }).toEqual({
      name,
      unknown: [],
    });
    expect(() => readConfig(environment)).not.toThrow();
  }
});

test('callers know where every service is and who they are; services know whom they answer', () => {
  for (const name of ['gateway', 'endpoint', 'seed']) {
    const { SERVICE_URLS, IDENTITY_FILE } = readConfig(processes[name]?.environment);
    expect([...SERVICE_URLS.keys()].sort()).toEqual(
      allServices
        .map((service) => service.name)
        .filter((one) => one !== 'agent')
        .sort(),
    );
    for (const [service, urls] of SERVICE_URLS) {
      const { PORT } = readConfig(processes[service]?.environment);
      expect(urls).toEqual([`http://${service}:${PORT}`]);
    }
    expect(IDENTITY_FILE).toContain(name);
  }
  for (const { name } of allServices.filter((service) => service.name !== 'agent')) {
    const service = processes[name];
    if (service === undefined) throw new Error(`${name} is no service`);
    const { environment, ports, volumes } = service;
    expect(readConfig(environment).TRUSTED_CALLERS_FILE).toBeDefined();
    // Replicas share no port of the machine and no read model.
    expect({ name, ports, own: volumes.includes('/data') }).toEqual({ name, ports: [], own: true });
  }
});

test('a process is given longer to stop than it may take', () => {
  for (const [name, { image, environment, stop_grace_period: grace }] of Object.entries(
    processes,
  )) {
    if (!image.startsWith('bivouac:')) continue;
    const { SHUTDOWN_MS } = readConfig(environment);
    expect({ name, enough: Number(grace.replace('s', '')) * 1000 > 2 * SHUTDOWN_MS }).toEqual({
      name,
      enough: true,
    });
  }
});

test('Prometheus scrapes every process of compose where it serves its metrics', () => {
  const text = readFileSync(
    new URL('../../infra/deploy/prometheus/prometheus.yml', import.meta.url),
    'utf8',
  );
  const { scrape_configs: jobs } = ScrapeSchema.parse(parse(text));
  const names = jobs.flatMap((job) => job.dns_sd_configs.flatMap((found) => found.names));
  const serving = Object.entries(processes).filter(
    ([, { environment }]) => environment['METRICS_LISTEN'] !== undefined,
  );
  expect(names).toEqual(serving.map(([name]) => name).sort());
  for (const [, { environment, ports }] of serving) {
    expect(readConfig(environment).METRICS_LISTEN).toEqual({
      host: '0.0.0.0',
      port: jobs[0]?.dns_sd_configs[0]?.port,
    });
    expect(ports.some((port) => port.includes('9464'))).toBe(false);
  }
});

test('with compose.traces.yml every process sends its traces to the one collector', () => {
  const text = readFileSync(
    new URL('../../infra/deploy/compose.traces.yml', import.meta.url),
    'utf8',
  );
  const { services } = z
    .object({
      services: z.record(
        z.string(),
        z.looseObject({ environment: z.record(z.string(), z.string()) }),
      ),
    })
    .parse(parse(text, { merge: true }));
  const { jaeger, ...traced } = services;
  expect(ServiceSchema.parse(jaeger).image).toMatch(/:\d+\.\d+\.\d+$/);
  const lasting = Object.entries(processes).filter(
    ([, { image, restart }]) => image.startsWith('bivouac:') && restart !== 'on-failure',
  );
  expect(Object.keys(traced).sort()).toEqual(lasting.map(([name]) => name).sort());
  for (const [name, { environment }] of Object.entries(traced)) {
    const config = readConfig({ ...processes[name]?.environment, ...environment });
    expect(config.OTEL_EXPORTER_OTLP_ENDPOINT).toBe('http://jaeger:4318');
  }
});
