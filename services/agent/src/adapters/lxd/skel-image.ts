/**
 * `builtin:skel`: the smallest image that is a container and not a pretence of one. A static
 * busybox, an init that boots it and halts it when told, a login name, and nothing else.
 */
import { readFile } from 'node:fs/promises';
import { DriverError } from '../../driver.ts';
import { tarOf } from './tar.ts';

/** Runs as process 1 of the guest. LXD asks for a halt with SIGPWR (liblxc's lxc.signal.halt). */
const INIT = `#!/bin/busybox sh
halt() {
  trap '' TERM PWR INT
  kill -TERM -1 2>/dev/null
  wait
  exit 0
}
trap halt PWR TERM INT
ip link set dev lo up 2>/dev/null
# Waiting reaps whatever is left to process 1; a signal ends the wait at once.
while :; do
  sleep 86400 &
  wait $!
done
`;

const APPLETS = (
  'sh ash cat chmod cp date dd df echo env false free grep halt head hostname id ifconfig ip kill ' +
  'killall ln ls mkdir mount mv nc netstat nslookup ping ping6 poweroff printf ps pwd rm route sed ' +
  'seq sleep sync tail tar test top touch traceroute true umount uname uptime vi wc wget whoami'
).split(' ');

const FOLDERS =
  'bin dev etc proc root run sbin sys tmp usr usr/bin usr/sbin var var/log var/tmp'.split(' ');

/**
 * The image as LXD imports it: metadata.yaml and rootfs/ in one tar.
 * @throws {DriverError} `image-unavailable` where there is no static busybox at `busybox`.
 */
export async function skelImage(busybox: string): Promise<Buffer> {
  const binary = await readFile(busybox).catch((cause: unknown) => {
    throw missing(`${busybox} cannot be read`, cause);
  });
  // A dynamic binary names its loader, which the image would not have.
  if (binary.includes('/ld-linux') || binary.includes('/ld-musl'))
    throw missing(`${busybox} is not a static binary`);
  const architecture = architectures.get(process.arch);
  if (architecture === undefined) throw missing(`there is no skel for ${process.arch}`);
  return tarOf([
    {
      path: 'metadata.yaml',
      content: [
        `architecture: ${architecture}`,
        'creation_date: 1700000000',
        'properties:',
        '  os: bivouac',
        '  description: bivouac skel',
        '',
      ].join('\n'),
    },
    { path: 'rootfs/', folder: true },
    ...FOLDERS.map((path) => ({
      path: `rootfs/${path}/`,
      folder: true as const,
      mode: path.endsWith('tmp') ? 0o1777 : 0o755,
    })),
    { path: 'rootfs/bin/busybox', content: binary, mode: 0o755 },
    ...APPLETS.map((name) => ({ path: `rootfs/bin/${name}`, link: 'busybox' })),
    { path: 'rootfs/sbin/init', content: INIT, mode: 0o755 },
    { path: 'rootfs/etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n' },
    { path: 'rootfs/etc/group', content: 'root:x:0:\n' },
    { path: 'rootfs/etc/hosts', content: '127.0.0.1 localhost\n::1 localhost\n' },
    { path: 'rootfs/etc/resolv.conf', content: '' },
  ]);
}

const architectures: ReadonlyMap<string, string> = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
]);

function missing(why: string, cause?: unknown): DriverError {
  const message = `builtin:skel cannot be made: ${why}; install busybox-static or name another image.`;
  return new DriverError('image-unavailable', message, { cause });
}
