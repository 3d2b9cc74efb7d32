import { expect, test } from '@jest/globals';

import { ConfigError, readConfig } from './config.ts';
import { parseServiceUrls } from './service-settings.ts';

test('each service has the URLs of its replicas, each once', () => {
  const text =
    ' accounts=http://a:4201 | http://b:4201/ , containers=https://[::1]:4202|https://c,';
  expect(readConfig({ SERVICE_URLS: text }).SERVICE_URLS).toEqual(
    new Map([
      ['accounts', ['http://a:4201', 'http://b:4201']],
      ['containers', ['https://[::1]:4202', 'https://c']],
    ]),
  );
  expect(readConfig({}).SERVICE_URLS).toEqual(new Map());
  expect(parseServiceUrls('billing=http://a:1|http://a:1')).toEqual({
    urls: new Map([['billing', ['http://a:1']]]),
  });
});

test.each([
  ['http://a:4201', 'not "http://a:4201"'],
  ['accounts', 'not "accounts"'],
  ['accounts=', 'accounts: expected a URL like http://10.0.0.5:4201, without a path, not ""'],
  ['accounts=a:4201', 'not "a:4201"'],
  ['accounts=http://a:4201/calls', 'without a path'],
  ['accounts=http://me:secret@a:4201', 'expected a URL'],
  ['accounts=esdb://a:4201', 'expected a URL'],
  ['accounts=http://a|', 'not ""'],
  ['accounts=http://a,accounts=http://b', 'accounts is there twice: separate its replicas by |'],
])('%s is a problem that says what to write', (SERVICE_URLS, says) => {
  const read = (): unknown => readConfig({ SERVICE_URLS });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow('- SERVICE_URLS: ');
  expect(read).toThrow(says);
});

test('everything wrong is said at once', () => {
  expect(parseServiceUrls('accounts=x|y,billing')).toMatchObject({
    problems: [
      expect.stringContaining('"x"'),
      expect.stringContaining('"y"'),
      expect.stringContaining('"billing"'),
    ],
  });
});
