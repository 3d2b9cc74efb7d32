// Brokers that demand TLS and SCRAM let in whom they know, over what is trusted, and nobody else.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { sampleEvents } from '../../event-store/contract/samples.ts';
import { Probe } from '../contract/probe.ts';
import { Installation, startBrokers, withBroker } from './testing/broker.ts';

await withBroker(() => {
  let secure = process.env['BUS_URL_SECURE'] ?? '';
  let folder = '';
  const installation = new Installation();
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'bivouac-kafka-'));
    // What is up says how it is reached.
    if (secure !== '') return;
    secure = /^BUS_URL_SECURE=(.*)$/m.exec(await startBrokers())?.[1] ?? '';
  });
  afterAll(async () => {
    await installation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  test('with the authority and the password, everything works', async () => {
    const bus = await installation.open({ url: secure });
    const probe = new Probe();
    await probe.consume(bus, 'billing');
    const events = sampleEvents('one', 20, { homeid: 'ten_1' });
    await installation.store.append('thing-1', 'no-stream', events);
    await probe.until(() => probe.all.length === 20);
    expect(probe.faults).toEqual([]);
  });

  test('a wrong password is refused at the start, saying what to check', async () => {
    const file = path.join(folder, 'wrong');
    await writeFile(file, 'wrong');
    const url = secure.replace(/passwordFile=[^&]*/, `passwordFile=${file}`);
    await expect(installation.open({ url })).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining('Check BUS_URL'),
    });
  });

  test('without TLS nothing is said to them, and without their authority nobody believes them', async () => {
    const [address = ''] = secure.split('?');
    await expect(installation.open({ url: address })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/is no reply of a Kafka broker: does it demand TLS/),
    });
    const url = secure.replace(/ca=[^&]*/, 'tls=on');
    await expect(installation.open({ url })).rejects.toMatchObject({
      message: expect.stringMatching(/self-signed certificate/),
    });
  });

  test('a file that cannot be read is named', async () => {
    const url = secure.replace(/ca=[^&]*/, 'ca=/nowhere/ca.pem');
    await expect(installation.open({ url })).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining('ca names /nowhere/ca.pem'),
    });
  });
});
