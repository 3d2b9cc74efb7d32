/**
 * The demo image: the skel a technician tests, with web, mail, FTP, SSH and cron services, and the
 * packages that its RPM database lists.
 */
import { createHash } from 'node:crypto';

/** What identifies the built-in skel on every node. */
export const skelDigest = createHash('sha256').update('builtin:skel').digest('hex');

const listed: readonly (readonly [string, number, string, string, string?])[] = [
  ['bash', 0, '5.1.8', '9.el9'],
  ['busybox', 1, '1.35.0', '4.el9'],
  ['ca-certificates', 0, '2024.2.69_v8.0.303', '91.4.el9', 'noarch'],
  ['coreutils', 0, '8.32', '36.el9'],
  ['cronie', 0, '1.5.7', '11.el9'],
  ['crontabs', 0, '1.11', '27.20190603git.el9', 'noarch'],
  ['dovecot', 1, '2.3.16', '14.el9'],
  ['filesystem', 0, '3.16', '5.el9'],
  ['glibc', 0, '2.34', '125.el9'],
  ['httpd', 0, '2.4.62', '1.el9'],
  ['openssh-server', 0, '8.7p1', '43.el9'],
  ['openssl', 1, '3.2.2', '6.el9'],
  ['postfix', 2, '3.5.25', '1.el9'],
  ['rpm', 0, '4.16.1.3', '34.el9'],
  ['setup', 0, '2.13.7', '10.el9', 'noarch'],
  ['systemd', 0, '252', '46.el9'],
  ['tzdata', 0, '2024b', '2.el9', 'noarch'],
  ['vsftpd', 0, '3.0.5', '6.el9'],
];

/** As the image's RPM database has them. */
export const skelPackages = listed.map(([name, epoch, version, release, arch = 'x86_64']) => ({
  name,
  epoch,
  version,
  release,
  arch,
}));

/** What listens in it once it runs. */
export const skelServices = [
  { service: 'web' as const, ports: [80, 443] },
  { service: 'mail' as const, ports: [25, 110, 143] },
  { service: 'ftp' as const, ports: [21] },
  { service: 'ssh' as const, ports: [22] },
  { service: 'cron' as const, ports: [] },
];
