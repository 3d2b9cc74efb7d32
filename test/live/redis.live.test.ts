/** Gateways with a Redis to which everything happens that may: answers stay right, the demo comes to the cent. */
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { embedded, type InstallationKind, processes, runDemo } from '@bivouac/all';
import { readConfig } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { OwnRedis, withRedis } from '../../infra/cache/redis/testing/server.ts';
import { closeAll, open } from '../e2e/installation.ts';
import { removeBuilds } from '../../infra/process/testing/program.ts';
import { bundled } from '../processes/builds.ts';
import { comparable } from './demo-report.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

const TIMEOUT = 300_000;
const Names = z.object({
  containers: z.object({
    edges: z.array(z.object({ node: z.object({ id: z.string(), hostname: z.string() }) })),
  }),
});
const LIST = '{ containers(first: 5) { edges { node { id hostname } } } }';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});
afterAll(async () => {
  await closeAll();
  removeBuilds();
});

async function started(): Promise<OwnRedis> {
  const server = await OwnRedis.start();
  closing.push(() => server.dispose());
  return server;
}

withRedis(() => {
  test(
    'whatever happens to Redis, a customer reads what is and changes what it wants',
    async () => {
      const server = await started();
      const running = await open({ settings: { CACHE_URL: server.url } });
      const { owner, staff } = running;
      const ended = await running.end(await running.order());
      const read = async (): Promise<readonly string[]> => {
        const { containers } = await owner.read(Names, LIST);
        return containers.edges.map(({ node }) => node.hostname);
      };
      const happenings: readonly [string, () => Promise<unknown> | void][] = [
        ['nothing', () => undefined],
        ['FLUSHALL', () => server.admin.flushall()],
        [
          'values that are none',
          async () => {
            for (const key of await server.admin.keys('*answer:*')) {
              await server.admin.set(key, '{"position":"99999999999999999999","data":1}');
            }
          },
        ],
        [
          'cut connections',
          () => server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
        ],
        ['full', () => server.admin.config('SET', 'maxmemory', '1')],
        ['silence', () => server.silence()],
        ['speaking again', () => server.goOn()],
        ['death', () => server.kill()],
        ['a new life', () => server.run()],
      ];
      for (const [n, [what, happen]] of happenings.entries()) {
        await happen();
        const hostname = `web${n}.example.com`;
        const renamed = await owner.mutate('renameContainer', {
          containerId: ended.targetId,
          hostname,
        });
        expect([what, renamed.__typename]).not.toContain(undefined);
        await running.installation.host.settled();
        const seen = [await read(), await read(), await read()];
        expect([what, seen]).toEqual([what, [[hostname], [hostname], [hostname]]]);
        const others = await staff.read(Names, LIST);
        expect(others.containers.edges.map(({ node }) => node.hostname)).toEqual([hostname]);
      }
    },
    TIMEOUT,
  );

  test(
    'the demo on two of each, with a Redis that is flushed and killed on the way, comes to what it comes to in one process',
    async () => {
      if (!(await kafkaIsThere())) return;
      const server = await started();
      const set = processes({ busUrl, replicas: 2, build: bundled() });
      closing.push(() => set.dispose());
      const kind: InstallationKind = {
        start: ({ changes, ...how }) =>
          set.start({ ...how, changes: { ...changes, CACHE_URL: server.url } }),
        left: (folder) => set.left(folder),
      };
      let line = 0;
      const trouble: Promise<unknown>[] = [];
      const report = await runDemo(kind, () => {
        line += 1;
        if (line === 2) trouble.push(server.admin.flushall());
        if (line === 4) trouble.push(server.kill());
      });
      await Promise.all(trouble);
      const inOne = await runDemo(embedded(readConfig({})), () => undefined);
      expect(comparable(report)).toEqual(comparable(inOne));
      expect(report.events).toBeGreaterThan(50);
      expect(line).toBeGreaterThan(4);
    },
    TIMEOUT,
  );
});
