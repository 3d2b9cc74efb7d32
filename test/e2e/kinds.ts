/**
 * What the end-to-end tests run on: everything in one process, or, with E2E_PROCESSES=<replicas>, every
 * part in its own, on the Kafka of BUS_URL and, where there are several of each, the Redis of CACHE_URL.
 * With E2E_ROLLED=1 these are stopped, started and rolled to newer builds meanwhile. The tests are the same.
 */
import { type Build, embedded, type InstallationKind, Members, processes } from '@bivouac/all';
import { readConfig } from '@bivouac/infra/runtime';

import { removeBuilds } from '../../infra/process/testing/program.ts';
import { bundled } from '../processes/builds.ts';
import { rolling, type RollingKind } from '../processes/rolling.ts';

/** Replicas of each part; undefined: one process has them all. */
export const replicas = replicasIn(process.env['E2E_PROCESSES']);
/** Whether the replicas are rolled meanwhile. */
const isRolled = process.env['E2E_ROLLED'] === '1';

const redisUrl = process.env['CACHE_URL'] ?? 'redis://127.0.0.1:7379';
const members = new Members();
let build: Build | undefined;
const disposals: (() => Promise<void>)[] = [];

/** The kind, with these settings as the environment has them. */
export function kindWith(settings: Readonly<Record<string, string>>): InstallationKind {
  if (replicas === undefined) return embedded(readConfig(settings));
  const busUrl = process.env['BUS_URL'] ?? 'kafka://127.0.0.1:9092?replication=1';
  // What several gateways count and remember they share.
  const all = { ...(replicas > 1 && { CACHE_URL: redisUrl }), ...settings };
  const set = { busUrl, replicas, members, settings: all };
  if (isRolled) return rolled(rolling(set));
  const kind = processes({ ...set, build: (build ??= bundled()) });
  disposals.push(() => kind.dispose());
  return kind;
}

/** Says in the end how much of it there was. */
function rolled(kind: RollingKind): InstallationKind {
  disposals.push(async () => {
    const newer = kind.writesNewer ? 'written' : 'not yet written';
    process.stdout.write(`replicas rolled: ${kind.rolls}, the newer version ${newer}\n`);
    await kind.dispose();
  });
  return kind;
}

/** At the end of a test file, after what ran was stopped. */
export async function disposeKinds(): Promise<void> {
  for (const dispose of disposals.splice(0)) await dispose();
  await members.close();
  removeBuilds();
}

function replicasIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const replicas = Number(text);
  if (Number.isInteger(replicas) && replicas > 0 && replicas < 10) return replicas;
  throw new Error(`E2E_PROCESSES is ${text}: expected how many replicas each part has, 1 to 9.`);
}
