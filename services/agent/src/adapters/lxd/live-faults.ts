/** For live tests: a real LXD seen through a socket that loses replies, and through mutual TLS. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { lxdClient, socketPath } from './live-bench.ts';

/** Passes requests on, but cuts one reply in three of those whose first line matches. */
export async function losingReplies(
  match: RegExp,
): Promise<{ readonly path: string; lost(): number; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'lossy-'));
  const path = join(folder, 'lxd.socket');
  let seen = 0;
  let lost = 0;
  const server = createServer((client) => {
    const lxd = connect(socketPath);
    let lose = false;
    client.once('data', (first) => {
      if (match.test(first.toString('latin1'))) lose = (seen += 1) % 3 === 1;
    });
    client.pipe(lxd);
    lxd.on('data', (data) => {
      // LXD has answered, so it has acted or begun to.
      if (!lose) return void client.write(data);
      lost += 1;
      client.destroy();
    });
    lxd.on('end', () => client.end());
    lxd.on('error', () => client.destroy());
    client.on('error', () => lxd.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    lost: () => lost,
    async close() {
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

/** Lets the daemon listen on the loopback; `tls` is its node URL with a certificate of our own. */
export async function behindTls(): Promise<{
  readonly tls: string;
  readonly trust: () => Promise<void>;
  readonly close: () => Promise<void>;
}> {
  const lxd = lxdClient();
  const address = '127.0.0.1:18443';
  const folder = await mkdtemp(join(tmpdir(), 'lxd-tls-'));
  const [cert, key, ca] = ['agent.crt', 'agent.key', 'ca.crt'].map((name) => join(folder, name));
  if (cert === undefined || key === undefined || ca === undefined) throw new Error('unreachable');
  const make =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -days 1 -subj /CN=agent';
  await promisify(execFile)('openssl', [...make.split(' '), '-keyout', key, '-out', cert]);
  const Server = z.object({ environment: z.object({ certificate: z.string() }) });
  await writeFile(ca, (await lxd.get('/1.0', Server)).environment.certificate);
  const ours = new X509Certificate(await readFile(cert));
  await lxd.change('PATCH', '/1.0', { config: { 'core.https_address': address } });
  return {
    tls: `https://${address}?${new URLSearchParams({ cert, key, ca }).toString()}`,
    async trust() {
      const certificate = ours.raw.toString('base64');
      await lxd.change('POST', '/1.0/certificates', { type: 'client', name: 'agent', certificate });
    },
    async close() {
      await lxd.change('PATCH', '/1.0', { config: { 'core.https_address': '' } });
      const fingerprint = ours.fingerprint256.replaceAll(':', '').toLowerCase();
      await lxd.change('DELETE', `/1.0/certificates/${fingerprint}`);
      await rm(folder, { recursive: true });
    },
  };
}
