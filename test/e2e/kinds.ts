/**
 * What the end-to-end tests run on: everything in one process, or, with E2E_PROCESSES=<replicas>, every
 * part in its own, on the Kafka of BUS_URL. The tests are the same.
 */
import { type Build, embedded, type InstallationKind, Members, processes } from '@bivouac/all';
import { readConfig } from '@bivouac/infra/runtime';

import { bundled, removeBuilds } from '../processes/builds.ts';

/** Replicas of each part; undefined: one process has them all. */
export const replicas = replicasIn(process.env['E2E_PROCESSES']);

const members = new Members();
let build: Build | undefined;
const disposals: (() => Promise<void>)[] = [];

/** The kind, with these settings as the environment has them. */
export function kindWith(settings: Readonly<Record<string, string>>): InstallationKind {
  if (replicas === undefined) return embedded(readConfig(settings));
  build ??= bundled();
  const busUrl = process.env['BUS_URL'] ?? 'kafka://127.0.0.1:9092?replication=1';
  const kind = processes({ busUrl, replicas, build, members, settings });
  disposals.push(() => kind.dispose());
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
