// What EVENT_STORE_URL may say of an EventStoreDB, and what is answered where it cannot be used.
import { expect, test } from '@jest/globals';
import { ConfigError, readConfig } from '../../runtime/config.ts';
import { parseEventStoreDbUrl } from './url.ts';

test.each([
  ['esdb://127.0.0.1:2113?tls=false', undefined],
  ['esdb://one:2113,two:2113,three:2113/?tls=false', undefined],
  ['esdb://admin:changeit@store.example.com', { username: 'admin', password: 'changeit' }],
  ['esdb+discover://a%40b:p%3Aq@store:2113?tlsCAFile=ca.pem', { username: 'a@b', password: 'p:q' }],
])('%s can be used', (url, credentials) => {
  expect(parseEventStoreDbUrl(url)).toEqual({ url, credentials });
  expect(readConfig({ EVENT_STORE_URL: url }).EVENT_STORE_URL).toBe(url);
});

test.each([
  ['esdb:', 'expected esdb://user:password@host:2113'],
  ['esdb://', 'expected esdb://user:password@host:2113'],
  ['esdb://host:port?tls=false', 'expected esdb://user:password@host:2113'],
  ['esdb://user@host:2113', 'expected esdb://user:password@host:2113'],
  [
    'esdb://host:2113',
    'no user and password: write esdb://user:password@host:2113, or add ?tls=false',
  ],
  ['esdb://host?tls=false&throwOnAppendFailure=false', 'leave throwonappendfailure out'],
  ['esdb://host?tls=false&default-deadline=1', 'leave defaultdeadline out'],
  ['sqlite:', 'expected sqlite:<folder> or esdb://user:password@host:2113'],
  ['postgres://host', 'expected sqlite:<folder> or esdb://user:password@host:2113'],
])('%s is a problem that says what to write', (EVENT_STORE_URL, says) => {
  const read = (): unknown => readConfig({ EVENT_STORE_URL });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow('- EVENT_STORE_URL: ');
  expect(read).toThrow(says);
});

test('a password is never repeated in a problem', () => {
  const read = (): unknown =>
    readConfig({ EVENT_STORE_URL: 'esdb://user:s3cret@host:x?nodePreference=follower' });
  expect(read).toThrow(ConfigError);
  expect(read).not.toThrow('s3cret');
});
