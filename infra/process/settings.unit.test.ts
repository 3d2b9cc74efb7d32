// What a process that is one of several is refused to start with, each with its remedy.
import { expect, test } from '@jest/globals';

import { createLogger, readConfig } from '../runtime/index.ts';
import {
  callerOf,
  callerProblems,
  checkShared,
  servicePorts,
  trustedBy,
  trustProblems,
} from './settings.ts';

const logger = createLogger('silent', process.stderr);
const shared = {
  EVENT_STORE_URL: 'esdb://127.0.0.1:2113?tls=false',
  BUS_URL: 'kafka://127.0.0.1:9092',
};

test('a log and a bus that no second process can use are refused, both at once', () => {
  expect(() => {
    checkShared(readConfig({}));
  }).toThrow(/EVENT_STORE_URL.*esdb:[^]*BUS_URL.*kafka:/);
  expect(() => {
    checkShared(readConfig(shared));
  }).not.toThrow();
});

test('whatever is wrong for a process is said at once', () => {
  const config = readConfig({});
  expect(() => {
    checkShared(config, [...callerProblems(config), ...trustProblems(config)]);
  }).toThrow(/EVENT_STORE_URL[^]*BUS_URL[^]*IDENTITY_FILE[^]*TRUSTED_CALLERS_FILE/);
  expect(() => {
    checkShared(readConfig(shared), trustProblems(config));
  }).toThrow(/TRUSTED_CALLERS_FILE/);
});

test('a caller needs an identity, and to be told of every service where it is told of any', async () => {
  await expect(callerOf(readConfig({}), logger)).rejects.toThrow(/IDENTITY_FILE.*identity new/);
  const some = readConfig({ IDENTITY_FILE: 'x', SERVICE_URLS: 'accounts=http://a:1' });
  const refused = await callerOf(some, logger).then(String, String);
  for (const name of Object.keys(servicePorts)) {
    expect(refused.includes(`where ${name} is`)).toBe(name !== 'accounts');
  }
});

test('a service needs to be told whom it trusts', async () => {
  await expect(trustedBy(readConfig({}))).rejects.toThrow(/TRUSTED_CALLERS_FILE.*identity new/);
});

test('of a certificate and its key neither goes alone', () => {
  expect(() => readConfig({ SERVICE_TLS_CERT: 'cert.pem' })).toThrow(/SERVICE_TLS_KEY.*both/);
});
