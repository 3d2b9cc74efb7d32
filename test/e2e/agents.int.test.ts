/** Agents as processes of their own, over the socket: who they are, and kill -9 anywhere in their work. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { readInstances } from '@bivouac/all/checks/engines';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { bundledProgram, removeBuilds } from '../../infra/process/testing/program.ts';
import { cert, key } from '../../infra/channels/testing/certificate.ts';

import { closeAll, newFolder, open, type Running } from './installation.ts';

// Bundled: they are started dozens of times.
const main = bundledProgram('services/agent/src/main.ts');
const dying = bundledProgram('test/e2e/agent-child.ts');
afterAll(removeBuilds);
const started: ChildProcess[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  await closeAll();
});

interface Child {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
  /** It is connected; rejects where it ends before. */
  readonly connected: Promise<void>;
  /** A report of use was noted; rejects likewise. */
  readonly noted: Promise<void>;
  /** Everything said so far. */
  readonly said: () => string;
}

function start(program: string, environment: Record<string, string>): Child {
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'silent', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let said = '';
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, said });
    });
  });
  const waiting: (() => void)[] = [];
  const hear = (chunk: Buffer): void => {
    said += chunk.toString();
    for (const look of waiting) look();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const heard = (words: string): Promise<void> => {
    const hearing = new Promise<void>((resolve, reject) => {
      waiting.push(() => {
        if (said.includes(words)) resolve();
      });
      void ended.then(() => {
        reject(new Error(said));
      });
    });
    hearing.catch(() => undefined);
    return hearing;
  };
  return {
    ...{ child, ended, connected: heard('is connected to'), noted: heard('noted') },
    said: () => said,
  };
}

interface Remote {
  readonly running: Running;
  readonly nodeId: string;
  /** The data folder's like: the agent's own folder is `nodes/remote` in it. */
  readonly root: string;
  readonly environment: Record<string, string>;
  /** Opens an enrolment: the file with its token. */
  readonly enrolment: () => Promise<string>;
}

/** An installation with one node that is elsewhere; its own takes nothing. */
async function remote(tls = false): Promise<Remote> {
  const files = await newFolder();
  const [certFile, keyFile] = [join(files, 'cert.pem'), join(files, 'key.pem')];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key, { mode: 0o600 });
  const shown = { AGENT_TLS_CERT: certFile, AGENT_TLS_KEY: keyFile };
  const settings = { AGENT_LISTEN: '0', ...(tls ? shown : {}) };
  const running = await open({ now: Date.now(), settings });
  const { staff } = running;
  const { nodes } = await staff.read(
    z.object({
      nodes: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
    }),
    '{ nodes(first: 10) { edges { node { id } } } }',
  );
  for (const { node } of nodes.edges)
    await staff.mutate('drainNode', { nodeId: node.id, reason: 'another is to be used' });
  const { registered } = await staff.read(
    z.object({ registered: z.object({ nodeId: z.string() }) }),
    `mutation { registered: registerNode(idempotencyKey: "remote", input: {
      name: "remote", location: "local", engine: "fake",
      capacity: { containers: 100, cpuMillis: 64000, memoryBytes: "1099511627776", diskBytes: "10995116277760" }
    }) { ... on NodeRegistered { nodeId } } }`,
  );
  await running.installation.host.settled();
  const root = await newFolder();
  let enrolments = 0;
  return {
    running,
    root,
    nodeId: registered.nodeId,
    environment: {
      AGENT_ENDPOINT: running.installation.nodes.endpoint ?? '',
      AGENT_DIR: join(root, 'nodes', 'remote'),
      NODE_URL: 'fake:',
      ...(tls ? { AGENT_CA: certFile } : {}),
    },
    enrolment: async () => {
      enrolments += 1;
      const { opened } = await staff.read(
        z.object({ opened: z.object({ token: z.string() }) }),
        `mutation ($id: ID!, $key: String!) { opened: openNodeEnrolment(idempotencyKey: $key, input: { nodeId: $id }) {
          ... on NodeEnrolmentOpened { token } } }`,
        { id: registered.nodeId, key: `enrol ${enrolments}` },
      );
      const file = join(await newFolder(), 'token');
      await writeFile(file, `${opened.token}\n`, { mode: 0o600 });
      return file;
    },
  };
}

/** Files below a folder that have the text in them, and that there is something to look at. */
async function filesWith(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(0);
  for (const { parentPath, name } of files) {
    const file = join(parentPath, name);
    if ((await readFile(file)).includes(text)) found.push(file);
  }
  return found;
}

const IdentitySchema = z.object({
  hardwareNode: z.object({
    identity: z.object({ publicKey: z.string() }).nullable(),
    enrolmentOpenUntil: z.string().nullable(),
    revokedKeys: z.array(z.object({ publicKey: z.string() })),
  }),
});

async function identityOf({ running, nodeId }: Remote) {
  const { hardwareNode } = await running.staff.read(
    IdentitySchema,
    'query ($id: ID!) { hardwareNode(id: $id) { identity { publicKey } enrolmentOpenUntil revokedKeys { publicKey } } }',
    { id: nodeId },
  );
  return hardwareNode;
}

test('an agent enrols its own key by a token, once, serves orders, and is shown out when it is revoked', async () => {
  const there = await remote(true);
  const { running, nodeId, environment, root } = there;
  expect(environment['AGENT_ENDPOINT']).toMatch(/^wss:/);
  const nobody = await start(main, environment).ended;
  expect(nobody).toMatchObject({ code: 1, said: expect.stringMatching(/no identity.*token/s) });

  const token = await there.enrolment();
  expect((await identityOf(there)).enrolmentOpenUntil).not.toBeNull();
  const agent = start(main, {
    ...{ ...environment, AGENT_TOKEN_FILE: token },
    ...{ METRICS_LISTEN: '0', LOG_LEVEL: 'info' },
  });
  await agent.connected;
  await running.installation.host.settled();
  const first = (await identityOf(there)).identity?.publicKey;
  expect(first).toMatch(/^[\w-]{43}$/);
  const file = join(root, 'nodes', 'remote', 'identity', 'identity.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await running.end(await running.order())).toMatchObject({ status: 'SUCCEEDED' });
  expect(await readInstances(root)).toHaveLength(1);

  // It says what it did with its engine, and nothing of a log that it does not have.
  const [, metrics = ''] = /"url":"(http:[^"]+)\/metrics"/.exec(agent.said()) ?? [];
  expect((await fetch(`${metrics}/health/ready`)).status).toBe(200);
  const measured = (await (await fetch(`${metrics}/metrics`)).text()).split('\n');
  expect(measured).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^bivouac_build_info\{part="agent",release="[^"]+"\} 1$/),
      'bivouac_driver_calls_total{call="create",outcome="done"} 1',
      'bivouac_driver_calls_total{call="start",outcome="done"} 1',
      'bivouac_agent_last_contact_seconds 0',
      'bivouac_agent_instructions 0',
      'bivouac_ready 1',
    ]),
  );
  expect(measured.filter((line) => line.startsWith('bivouac_last_backup'))).toEqual([]);

  // What was shown once is kept nowhere: not by the endpoint, not by the agent.
  const secret = (await readFile(token, 'utf8')).trim().split('.')[1] ?? '';
  for (const kept of [running.folder, join(root, 'nodes')])
    expect([kept, await filesWith(kept, secret)]).toEqual([kept, []]);

  // The token is used up: it makes nobody else the node's.
  const thief = { ...environment, AGENT_DIR: await newFolder(), AGENT_TOKEN_FILE: token };
  expect(await start(main, thief).ended).toMatchObject({
    code: 1,
    said: expect.stringContaining('ENROLMENT_NOT_OPEN'),
  });

  // Another enrolment gives another key; the agent with the old one has to go.
  const moved = {
    ...environment,
    AGENT_DIR: await newFolder(),
    AGENT_TOKEN_FILE: await there.enrolment(),
  };
  const successor = start(main, moved);
  await successor.connected;
  expect(await agent.ended).toMatchObject({
    code: 1,
    said: expect.stringMatching(/revoked|newer connection/),
  });
  const { identity, revokedKeys } = await identityOf(there);
  expect(identity?.publicKey).not.toBe(first);
  expect(revokedKeys).toEqual([{ publicKey: first }]);
  expect(await start(main, environment).ended).toMatchObject({
    code: 1,
    said: expect.stringContaining('revoked'),
  });

  await running.staff.mutate('revokeNodeIdentity', { nodeId, reason: 'a test' });
  expect(await successor.ended).toMatchObject({
    code: 1,
    said: expect.stringContaining('revoked'),
  });
}, 600_000);

test('an agent killed anywhere in a build: the order succeeds, with one container, and the end of it leaves nothing', async () => {
  const there = await remote();
  const { running, environment, root } = there;
  const enrolling = start(main, { ...environment, AGENT_TOKEN_FILE: await there.enrolment() });
  await enrolling.connected;
  enrolling.child.kill('SIGKILL');
  await enrolling.ended;

  const points = [
    'before-fence',
    'after-fence',
    'amid-effect',
    'after-effect',
    'after-answer-kept',
  ];
  const containers: string[] = [];
  for (const [n, point] of points.entries()) {
    const victim = start(dying, { ...environment, DIES: point });
    const order = await running.order({ hostname: `vps${n}.example.com` });
    expect([point, await victim.ended, victim.child.signalCode]).toEqual([
      ...[point, expect.anything(), 'SIGKILL'],
    ]);
    const agent = start(main, environment);
    const ended = await running.end(order);
    expect([point, ended.status]).toEqual([point, 'SUCCEEDED']);
    containers.push(ended.targetId);
    const there = await readInstances(root);
    expect(there.map((one) => one.containerId).sort()).toEqual([...containers].sort());
    agent.child.kill('SIGKILL');
    await agent.ended;
  }

  start(main, environment);
  for (const containerId of containers) {
    const input = { containerId, reason: 'the end' };
    const gone = await running.end(await running.owner.mutate('terminateContainer', input));
    expect(gone.status).toBe('SUCCEEDED');
  }
  await running.quiet();
  expect(await readInstances(root)).toEqual([]);
  expect(await running.held()).toMatchObject({ leases: 0, placements: 0, rosterEntries: 0 });
  expect(await readdir(join(root, 'nodes', 'remote', 'identity'))).toEqual(['identity.json']);
}, 600_000);

const UsageSchema = z.object({
  container: z.object({ usage: z.array(z.object({ start: z.string(), cpuNanos: z.string() })) }),
});

test('an agent killed anywhere in a report of use: each hour is rolled up once, and nothing is counted twice', async () => {
  const there = await remote();
  const { running, environment } = there;
  const enrolling = start(main, { ...environment, AGENT_TOKEN_FILE: await there.enrolment() });
  await enrolling.connected;
  const container = await running.running();
  enrolling.child.kill('SIGKILL');
  await enrolling.ended;

  const HOUR = 3_600_000;
  const usage = async () => {
    const now = running.clock.now();
    const { container: found } = await running.staff.read(
      UsageSchema,
      `query ($id: ID!, $from: DateTime!, $to: DateTime!) { container(id: $id) {
        usage(from: $from, to: $to, resolution: HOUR) { start cpuNanos } } }`,
      {
        id: container,
        from: new Date(now - 24 * HOUR).toISOString(),
        to: new Date(now + 24 * HOUR).toISOString(),
      },
    );
    return found.usage;
  };
  let before: Awaited<ReturnType<typeof usage>> = [];
  for (const [n, point] of ['before-report', 'after-report', 'before-noted'].entries()) {
    running.clock.advance(HOUR);
    const ahead = { ...environment, AHEAD_MS: String((n + 1) * HOUR) };
    const victim = start(dying, { ...ahead, DIES: point });
    expect([point, await victim.ended, victim.child.signalCode]).toEqual([
      ...[point, expect.anything(), 'SIGKILL'],
    ]);
    const agent = start(dying, ahead);
    await agent.noted;
    agent.child.kill('SIGKILL');
    await agent.ended;
    await running.installation.host.settled();
    const now = await usage();
    expect(now.length).toBeGreaterThan(before.length);
    // What was rolled up stays as it was.
    expect(now.slice(0, before.length)).toEqual(before);
    before = now;
  }
  const { store } = running.installation;
  const { events } = await store.readAll({ direction: 'backwards', limit: 1000 });
  const types = events.filter(({ stream }) => stream.startsWith('usage-')).map(({ type }) => type);
  expect(types.filter((type) => type === 'quotas.UsageRolledUp')).toHaveLength(before.length);
  expect(types).not.toContain('quotas.UsageAmended');
}, 600_000);

test('a node of the installation’s own that was revoked stays out, and the rest goes on; without its key it is enrolled anew', async () => {
  const running = await open({ nodeUrl: 'fake:?nodes=2' });
  const [first, second] = running.installation.nodes.list;
  if (first === undefined || second === undefined) throw new Error('two nodes were asked for');
  await running.staff.mutate('revokeNodeIdentity', { nodeId: first.nodeId, reason: 'a test' });
  await running.installation.host.settled();
  const { folder, clock } = running;
  await running.stop();

  const without = await open({ nodeUrl: 'fake:?nodes=2', folder, now: clock.now() + 1000 });
  expect(without.installation.nodes.list).toEqual([second]);
  await without.stop();

  await rm(join(folder, 'nodes', first.name, 'identity'), { recursive: true });
  const again = await open({ nodeUrl: 'fake:?nodes=2', folder, now: clock.now() + 2000 });
  expect(again.installation.nodes.list).toEqual([first, second]);
  expect(await again.end(await again.order())).toMatchObject({ status: 'SUCCEEDED' });
});
