import { readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';
import { customer, event } from '@bivouac/events/language';
import { z } from 'zod';

import { ConfigError, ConfigSchema, readConfig } from './config.ts';
import { createLogger } from './logging.ts';

const example = new URL('../../.env.example', `file://${process.cwd()}/infra/runtime/`);

test('.env.example names every setting with its default, and nothing else', () => {
  const settings = Object.fromEntries(
    readFileSync(example, 'utf8')
      .split('\n')
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  expect(Object.keys(settings).sort()).toEqual(Object.keys(ConfigSchema.shape).sort());
  expect(readConfig(settings)).toEqual(readConfig({}));
});

test('an embedded log lies in DATA_DIR unless it is said where', () => {
  const where = (given: Record<string, string>): string => readConfig(given).EVENT_STORE_URL;
  expect(where({})).toBe('sqlite:./data');
  expect(where({ DATA_DIR: '/srv/one' })).toBe('sqlite:/srv/one');
  expect(where({ DATA_DIR: '/srv/one', EVENT_STORE_URL: '' })).toBe('sqlite:/srv/one');
  expect(where({ DATA_DIR: '/srv/one', EVENT_STORE_URL: 'sqlite:/srv/two' })).toBe(
    'sqlite:/srv/two',
  );
});

test('what the environment leaves out, or empty, is what the caller means by it', () => {
  const otherwise = { PORT: '4205' };
  expect(readConfig({}, undefined, otherwise).PORT).toBe(4205);
  expect(readConfig({ PORT: '' }, undefined, otherwise).PORT).toBe(4205);
  expect(readConfig({ PORT: '0' }, undefined, otherwise).PORT).toBe(0);
});

test('every problem is named at once', () => {
  const read = (): unknown =>
    readConfig({ PORT: '99999', EVENT_STORE_URL: 'mysql:', LOG_LEVEL: 'loud' });
  expect(read).toThrow(ConfigError);
  try {
    read();
  } catch (error) {
    expect(String(error)).toMatch(/PORT.*[\s\S]*LOG_LEVEL|LOG_LEVEL[\s\S]*PORT/);
    expect(String(error)).toContain('EVENT_STORE_URL');
  }
});

describe('EVENT_VERSIONS', () => {
  const v1 = z.strictObject({ euros: customer(z.number()) });
  const v2 = z.strictObject({ cents: customer(z.int()) });
  const Charged = event('test.Charged', v2, {
    schemas: { 1: v1 },
    upcasters: [{ from: 1, to: 2, upcast: ({ euros }) => ({ cents: Number(euros) * 100 }) }],
    writes: 2,
  });

  test('is read as versions by type', () => {
    expect(
      readConfig({ EVENT_VERSIONS: ' test.Charged=2, test.Other = 10,' }).EVENT_VERSIONS,
    ).toEqual(
      new Map([
        ['test.Charged', 2],
        ['test.Other', 10],
      ]),
    );
    expect(readConfig({ EVENT_VERSIONS: 'test.Charged=2' }, [Charged]).EVENT_VERSIONS.size).toBe(1);
  });

  test.each([
    ['Charged=2', 'expected entries like billing.SetupCharged=2, not "Charged=2"'],
    ['test.Charged', 'not "test.Charged"'],
    ['test.Charged=0', 'not "test.Charged=0"'],
    ['test.Charged=2.5', 'not "test.Charged=2.5"'],
    ['test.Charged=1;test.Charged=2', 'not "test.Charged=1;test.Charged=2"'],
    ['test.Charged=2,test.Charged=2', 'test.Charged is there twice'],
    ['test.Charged=3', 'test.Charged has no version 3 in this release, which knows 1 to 2'],
    ['test.Charged=1', 'test.Charged cannot be written as version 1: no downcast leads'],
    ['test.Charges=1', 'test.Charges is no event type of this release'],
  ])('%s is a problem that says what to write', (EVENT_VERSIONS, says) => {
    const read = (): unknown => readConfig({ EVENT_VERSIONS }, [Charged]);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(`- EVENT_VERSIONS: `);
    expect(read).toThrow(says);
  });

  test('is named with every other problem', () => {
    const environment = { PORT: 'x', EVENT_VERSIONS: 'test.Charged=3,test.Charges=1' };
    try {
      readConfig(environment, [Charged]);
      expect('started').toBe('refused');
    } catch (error) {
      expect(error instanceof ConfigError && error.problems).toEqual([
        expect.stringContaining('PORT'),
        expect.stringContaining('test.Charged has no version 3'),
        expect.stringContaining('test.Charges is no event type'),
      ]);
    }
  });
});

test('a cache is of the process or Redis, and everything wrong with its URL is said', () => {
  const url = 'rediss://cache.example.com:6380/1?user=bivouac&passwordFile=/run/secrets/redis';
  expect(readConfig({ CACHE_URL: url }).CACHE_URL).toBe(url);
  for (const [given, sentence] of [
    ['memcached://x', 'expected memory: or redis://host:port'],
    ['memory:x', 'expected memory: or redis://host:port'],
    ['redis://', 'expected a URL like rediss://'],
    ['redis://a.example.com/x', '/x is not the number of a database'],
    ['redis://a.example.com?tls=on', 'tls is not known'],
  ] as const) {
    expect(() => readConfig({ CACHE_URL: given })).toThrow(`CACHE_URL: ${sentence}`);
  }
  expect(readConfig({ CACHE_URL: 'memory:' }).CACHE_URL).toBe('memory:');
});

test('a bus is embedded or Kafka, and everything wrong with its URL is said', () => {
  const url = 'kafka://a.example.com:9092,b.example.com:9092?tls=on';
  expect(readConfig({ BUS_URL: url }).BUS_URL).toBe(url);
  for (const [given, sentence] of [
    ['nats://127.0.0.1:4222', 'expected embedded: or kafka://host:port'],
    ['embedded:x', 'expected embedded: or kafka://host:port'],
    ['kafka://a', 'a is not host:port'],
    ['kafka://me:secret@a:9092', 'a password must not stand in the URL'],
  ] as const) {
    expect(() => readConfig({ BUS_URL: given })).toThrow(`BUS_URL: ${sentence}`);
  }
  try {
    readConfig({ BUS_URL: 'kafka://a?tls=yes&replication=0' });
    expect('started').toBe('refused');
  } catch (error) {
    expect(error instanceof ConfigError && error.problems).toHaveLength(3);
  }
});

test('keys, secrets and blobs are each in a folder of their own', () => {
  const urls = { KEYS_URL: 'folder:/srv/shared/keys', BLOBS_URL: 'folder:../blobs' };
  expect(readConfig({ ...urls, KEYS_MASTER_FILE: '/etc/bivouac/keys' })).toMatchObject(urls);
  for (const bad of ['s3://bucket', '/srv/keys', 'folder:', 'folder:  ', 'folder://host/keys']) {
    expect(() => readConfig({ KEYS_URL: bad })).toThrow('KEYS_URL: expected folder:<path>');
  }
  for (const [given, says] of [
    [{ SECRETS_URL: 'folder:./data/keys' }, 'SECRETS_URL: ./data/keys is what KEYS_URL names'],
    [
      { KEYS_URL: 'folder:/a/b', BLOBS_URL: 'folder:/a/c/../b' },
      'BLOBS_URL: /a/c/../b is what KEYS_URL names',
    ],
    [
      { KEYS_MASTER_FILE: '/etc/master', SECRETS_MASTER_FILE: '/etc/master' },
      'SECRETS_MASTER_FILE: /etc/master is what KEYS_MASTER_FILE names',
    ],
  ] as const) {
    expect(() => readConfig(given)).toThrow(says);
  }
});

test('what an account may ask is a whole number of units', () => {
  expect(readConfig({ COST_CAPACITY: '500', STAFF_COST_PER_SECOND: '7' })).toMatchObject({
    COST_CAPACITY: 500,
    STAFF_COST_PER_SECOND: 7,
  });
  for (const bad of ['0', '-1', '1.5', 'many']) {
    expect(() => readConfig({ COST_PER_SECOND: bad })).toThrow('COST_PER_SECOND');
  }
});

test('secrets never reach a log line', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => lines.push(line) });
  logger.info(
    { apiKey: 'canary-1', request: { headers: { authorization: 'canary-2' } } },
    'a request',
  );
  expect(lines.join('')).not.toContain('canary');
  expect(lines.join('')).toContain('[redacted]');
});

describe('where agents connect', () => {
  const files = { AGENT_TLS_CERT: 'cert.pem', AGENT_TLS_KEY: 'key.pem' };

  test('is nowhere unless told, and on this machine unless an address is named', () => {
    const listen = (AGENT_LISTEN: string) => readConfig({ AGENT_LISTEN, ...files }).AGENT_LISTEN;
    expect(readConfig({}).AGENT_LISTEN).toBeUndefined();
    expect(listen('4100')).toEqual({ host: '127.0.0.1', port: 4100 });
    expect(listen('0.0.0.0:4100')).toEqual({ host: '0.0.0.0', port: 4100 });
    expect(listen('[::]:4100')).toEqual({ host: '::', port: 4100 });
    for (const bad of ['x', '70000', '1.2.3.4', ':4100', 'a b:1', '[::1:4100'])
      expect(() => listen(bad)).toThrow('AGENT_LISTEN: expected a port, or an address');
  });

  test('is not in clear for other machines', () => {
    expect(() => readConfig({ AGENT_LISTEN: '0.0.0.0:4100' })).toThrow(
      'AGENT_LISTEN: other machines can connect there, so set AGENT_TLS_CERT',
    );
    expect(() => readConfig({ AGENT_TLS_CERT: 'cert.pem' })).toThrow('expected both or neither');
    const endpoint = (AGENT_ENDPOINT: string) => () => readConfig({ AGENT_ENDPOINT });
    for (const good of [
      'wss://nodes.example.com/agents',
      'ws://127.0.0.1:4100/agents',
      'ws://[::1]:1/',
    ])
      expect(endpoint(good)).not.toThrow();
    for (const bad of ['ws://nodes.example.com/agents', 'https://nodes.example.com', 'nodes'])
      expect(endpoint(bad)).toThrow('AGENT_ENDPOINT: expected a URL like wss://');
  });
});
