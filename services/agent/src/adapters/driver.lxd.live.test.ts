/** The LXD driver keeps every law of a driver on a real daemon; what the kernel enforces is tried. */
import { access } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { driverConformance } from '../driver.conformance.ts';
import type { Driver, ImageSource, NetworkAddress } from '../driver.ts';
import { openLxdDriver } from './driver.lxd.ts';

const socketPath = '/var/lib/lxd/unix.socket';
const skel: ImageSource = {
  digest: createHash('sha256').update('skel').digest('hex'),
  name: 'skel',
  source: 'builtin:skel',
};
const addresses: readonly NetworkAddress[] = [10, 11, 12, 13].map((host) => ({
  address: `203.0.113.${host}`,
  family: 'ipv4',
}));
const open = (): Driver => openLxdDriver({ endpoint: { kind: 'unix', socketPath } });
driverConformance(
  'LXD',
  async () => {
    await access(socketPath);
    return {
      driver: open(),
      image: skel,
      addresses,
      reopen: async () => open(),
      close: async () => undefined,
    };
  },
  { timeoutMs: 120_000, fuzzRuns: 20 },
);
