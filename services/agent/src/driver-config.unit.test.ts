/** A node's URL says which engine it has; whatever is wrong in it is named all at once. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DriverUrlError, parseDriverUrl } from './driver-config.ts';

function problems(url: string): readonly string[] {
  try {
    parseDriverUrl(url);
    return [];
  } catch (error) {
    if (error instanceof DriverUrlError) return error.problems;
    throw error;
  }
}

describe('the URL of a node', () => {
  test('fake: alone is one fast, endless node that never fails', () => {
    expect(parseDriverUrl('fake:')).toEqual({
      kind: 'fake',
      nodes: 1,
      seed: 1,
      slow: [],
      faults: [],
      capacity: {},
    });
  });

  test('a fake node is as slow, faulty and finite as told', () => {
    const url =
      'fake:?nodes=10&slow=create:200,50&fail=create:0.1&lose=0.02&crash-after=start:1&seed=7' +
      '&containers=3&memory=64GiB&disk=1TiB';
    expect(parseDriverUrl(url)).toEqual({
      kind: 'fake',
      nodes: 10,
      seed: 7,
      slow: [
        { step: 'create', value: 200 },
        { step: 'any', value: 50 },
      ],
      faults: [
        { kind: 'fail', step: 'create', probability: 0.1 },
        { kind: 'lose', step: 'any', probability: 0.02 },
        { kind: 'crash-after', step: 'start', probability: 1 },
      ],
      capacity: { containers: 3, memoryBytes: 64n << 30n, diskBytes: 1n << 40n },
    });
  });

  test.each([
    ['lxd+unix:', '/var/lib/lxd/unix.socket'],
    ['lxd+unix:///run/lxd.socket', '/run/lxd.socket'],
  ])('%s is the daemon at %s', (url, socketPath) => {
    expect(parseDriverUrl(url)).toMatchObject({
      kind: 'lxd',
      endpoint: { kind: 'unix', socketPath },
    });
  });

  test('https: is a daemon behind mutual TLS, by default on 8443', () => {
    const files = { cert: '/a.crt', key: '/a.key', ca: '/ca.crt' };
    expect(
      parseDriverUrl('https://node-1:9443?cert=/a.crt&key=/a.key&ca=/ca.crt&pool=fast'),
    ).toMatchObject({
      endpoint: { kind: 'tls', host: 'node-1', port: 9443, ...files },
      pool: 'fast',
    });
    expect(parseDriverUrl('https://[2001:db8::1]?cert=/a.crt&key=/a.key&ca=/ca.crt')).toMatchObject(
      { endpoint: { host: '2001:db8::1', port: 8443 } },
    );
  });

  test('every problem is named at once', () => {
    expect(
      problems('fake://host/path?nodes=0&slow=fly:3&fail=create:2&colour=blue&seed=x&seed=1'),
    ).toEqual([
      'seed: it is given twice',
      'fake: takes no host and no path',
      'nodes: expected at least one node',
      expect.stringMatching(/^slow: "fly:3": expected a step of prepareImage, create/),
      expect.stringMatching(/^fail: "create:2": expected a probability from 0 to 1/),
      'colour: there is no such option',
    ]);
    expect(problems('https://node-1/1.0')).toEqual([
      'https: takes no path',
      'cert: expected the path of a PEM file',
      'key: expected the path of a PEM file',
      'ca: expected the path of a PEM file',
    ]);
    expect(problems('qemu:')).toEqual([
      'qemu: is no engine; there are fake:, lxd+unix: and https:',
    ]);
    expect(problems('not a url')).toEqual(['it is not a URL']);
  });

  test('any text is a configuration or a list of problems', () => {
    const text = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.string().map((query) => `fake:?${query}`),
      fc.string().map((rest) => `lxd+unix:${rest}`),
    );
    fc.assert(
      fc.property(text, (url) => {
        expect(Array.isArray(problems(url))).toBe(true);
      }),
    );
  });
});
