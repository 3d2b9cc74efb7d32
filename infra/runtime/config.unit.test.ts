import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';

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
