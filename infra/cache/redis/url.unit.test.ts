// What a `redis://` URL says, and everything that is wrong with one.
import { expect, test } from '@jest/globals';

import { isRedisUrl, parseRedisUrl } from './url.ts';

const plain = {
  port: 6379,
  db: 0,
  prefix: 'bivouac',
  tls: undefined,
  username: undefined,
  password: undefined,
  passwordFile: undefined,
};

test('a URL names the server, the database and who we are to it', () => {
  expect(parseRedisUrl('redis://a.example.com')).toEqual({ ...plain, host: 'a.example.com' });
  expect(parseRedisUrl('redis://[::1]:7000/3?prefix=eu-1')).toEqual({
    ...plain,
    ...{ host: '::1', port: 7000, db: 3, prefix: 'eu-1' },
  });
  expect(parseRedisUrl('rediss://h:1?ca=/c.pem&user=u&passwordFile=/p')).toEqual({
    ...plain,
    ...{
      host: 'h',
      port: 1,
      tls: { caFile: '/c.pem', client: undefined },
      username: 'u',
      passwordFile: '/p',
    },
  });
  expect(parseRedisUrl('rediss://h?cert=/ours.pem&key=/ours.key')).toMatchObject({
    tls: { caFile: undefined, client: { certFile: '/ours.pem', keyFile: '/ours.key' } },
  });
  expect(parseRedisUrl('redis://u:p%40ss@h')).toEqual({
    ...plain,
    ...{ host: 'h', username: 'u', password: 'p@ss' },
  });
  expect(parseRedisUrl('redis://:secret@h')).toMatchObject({
    username: undefined,
    password: 'secret',
  });
});

test.each([
  ['redis:', ['expected a URL like']],
  ['redis:///0', ['expected a URL like']],
  ['redis://h:70000', ['expected a URL like']],
  ['redis://h/zero', ['/zero is not the number of a database']],
  ['redis://h?tls=on&sasl=x', ['tls is not known', 'sasl is not known']],
  ['redis://h?prefix=a&prefix=b', ['prefix is given twice']],
  ['redis://h?prefix=a:b', ['prefix: expected']],
  ['redis://h?passwordFile=', ['passwordFile is empty']],
  ['redis://h?ca=/c.pem', ['ca is given, but TLS is rediss://']],
  ['redis://h?cert=/c&key=/k', ['cert is given, but', 'key is given, but']],
  ['rediss://h?cert=/c', ['cert and key are given together']],
  ['redis://u:p@h?user=v&passwordFile=/p', ['the user is given twice', 'the password is given']],
  ['redis://u@h', ['a user is given without a password']],
  ['redis://u:%zz@h', ['not percent-encoded']],
  ['redis://u:p@h#x', ['what follows # means nothing']],
])('%s is refused with every reason', (url, reasons) => {
  const parsed = parseRedisUrl(url);
  const problems = 'problems' in parsed ? parsed.problems : [];
  expect(problems).toEqual(reasons.map((reason) => expect.stringContaining(reason)));
});

test('only its own schemes are Redis', () => {
  expect(['redis://h', 'rediss://h', 'memory:', 'redisx://h'].map(isRedisUrl)).toEqual([
    ...[true, true, false, false],
  ]);
});
