// A kafka:// URL says everything, or every reason why it cannot be used.
import { expect, test } from '@jest/globals';

import { parseKafkaUrl } from './url.ts';

test('brokers alone are enough', () => {
  expect(parseKafkaUrl('kafka://a.example.com:9092,10.0.0.1:9093,[::1]:9094')).toEqual({
    brokers: ['a.example.com:9092', '10.0.0.1:9093', '[::1]:9094'],
    tls: undefined,
    sasl: undefined,
    replication: undefined,
  });
});

test('trust, identity and copies are parameters', () => {
  const url =
    'kafka://a:9092?ca=/etc/ca.pem&sasl=scram-sha-512&user=bivouac&passwordFile=/run/pw&replication=3';
  expect(parseKafkaUrl(url)).toEqual({
    brokers: ['a:9092'],
    tls: { caFile: '/etc/ca.pem' },
    sasl: { mechanism: 'scram-sha-512', username: 'bivouac', passwordFile: '/run/pw' },
    replication: 3,
  });
  expect(parseKafkaUrl('kafka://a:9092?tls=on')).toMatchObject({ tls: { caFile: undefined } });
});

test.each([
  ['kafka:a:9092', ['expected a URL like kafka://']],
  ['kafka://', ['a broker is not host:port']],
  ['kafka://a', ['a is not host:port']],
  ['kafka://a:99999', ['a:99999 is not host:port']],
  ['kafka://a:9092,', ['a broker is not host:port']],
  ['kafka://me:secret@a:9092', ['a password must not stand in the URL']],
  ['kafka://a:9092?password=x', ['password is not known']],
  ['kafka://a:9092?tls=on&tls=off', ['tls is given twice']],
  ['kafka://a:9092?tls=yes', ['tls is yes']],
  ['kafka://a:9092?ca=', ['ca names no file']],
  ['kafka://a:9092?ca=/x&tls=off', ['ca is given, but tls=off']],
  ['kafka://a:9092?tls=on&sasl=plain&user=a&passwordFile=b', ['sasl is plain']],
  ['kafka://a:9092?tls=on&sasl=scram-sha-512&user=a', ['sasl needs user= and passwordFile=']],
  ['kafka://a:9092?user=a', ['without sasl=']],
  [
    'kafka://a:9092?sasl=scram-sha-512&user=a&passwordFile=b&replication=0',
    ['sasl needs tls=on', 'replication is 0'],
  ],
])('%s is refused with every reason', (url, reasons) => {
  const refused = parseKafkaUrl(url);
  expect('problems' in refused ? refused.problems : []).toEqual(
    reasons.map((reason) => expect.stringContaining(reason)),
  );
});
