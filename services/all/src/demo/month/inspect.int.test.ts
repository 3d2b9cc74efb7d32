/**
 * The inspection on data in which one thing is wrong, planted into the log or a read model's file: each
 * invariant is found to be violated, and named. What each check finds is tested beside the check.
 */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type EventDefinition, formatPosition, parsePosition } from '@bivouac/events/language';
import { deriveId, uuidOf } from '@bivouac/events/values';
import { PARTITIONS } from '@bivouac/infra/bus';
import { openEmbeddedStore } from '@bivouac/infra/event-store';
import { RELEASE } from '@bivouac/infra/process';
import {
  createLogger,
  ManualClock,
  readConfig,
  registryOf,
  viewSchemaOf,
} from '@bivouac/infra/runtime';
import { openSqliteViews } from '@bivouac/infra/views';
import { z } from 'zod';

import { embeddedLeft } from '../../checks/left.ts';
import { startEmbedded } from '../../embedded.ts';
import { seed } from '../../seed/seed.ts';
import { allServices } from '../../services.ts';
import { inspect } from './inspect.ts';
import { BEGINS } from './settings.ts';

const GOLDEN = new URL('../../../../../events/golden/', import.meta.url);
const NOON = '2026-03-09T12:00:00.000Z';
const Body = z.record(z.string(), z.unknown());

let sound: string;
const folders: string[] = [];

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'bivouac-inspect-'));
  folders.push(made);
  return made;
}

beforeAll(async () => {
  sound = await folder();
  const installation = await startEmbedded({
    config: readConfig({ DATA_DIR: sound, EVENT_STORE_URL: `sqlite:${sound}` }),
    clock: new ManualClock(BEGINS),
    logger: createLogger('silent', process.stderr),
    onFailure: (error) => {
      console.error(error);
    },
  });
  const { host, provider } = installation;
  await seed(host, provider);
  await host.settled();
  await installation.stop(10_000);
});

afterAll(async () => {
  for (const made of folders) await rm(made, { recursive: true, force: true });
});

/** The invariants that do not hold of a copy of the sound data into which something was planted. */
async function violated(plant: (copy: string) => Promise<void>): Promise<string[]> {
  const copy = await folder();
  await cp(sound, copy, { recursive: true });
  await plant(copy);
  const { violations } = await inspect(copy, embeddedLeft(copy), true);
  return Object.entries(violations).flatMap(([what, found]) => (found.length > 0 ? [what] : []));
}

/** Appends an event as its golden sample has it, with what is told changed. */
async function append(
  copy: string,
  type: string,
  change: Record<string, unknown> = {},
  {
    stream = `planted-${type}`,
    time = NOON,
    actorid = 'test',
    causationid,
  }: {
    readonly stream?: string;
    readonly time?: string;
    readonly actorid?: string;
    readonly causationid?: string;
  } = {},
): Promise<void> {
  const golden =
    type === 'reactions.CheckpointRecorded'
      ? {}
      : Body.parse(JSON.parse(await readFile(new URL(`${type}.v1.json`, GOLDEN), 'utf8')));
  const store = await openEmbeddedStore({ folder: copy });
  try {
    const registry = registryOf(allServices);
    const definition: EventDefinition | undefined = registry.definitions.get(type);
    if (definition === undefined) throw new Error(`there is no ${type}`);
    const page = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    const home = `planted-${type}`;
    const id = idOf(stream, type, change);
    await store.append(stream, page.exists ? page.head : 'no-stream', [
      {
        ...registry.encode({ type, data: { ...golden, ...change } }),
        ...{ id, type, time, tenantid: home, homeid: home, actorid, inputhash: '' },
        ...{ commandkey: id, correlationid: id, causationid: causationid ?? id },
      },
    ]);
  } finally {
    await store.close();
  }
}

function idOf(stream: string, type: string, change: Record<string, unknown>): string {
  return uuidOf(stream, type, JSON.stringify(change));
}

test('of sound data everything holds', async () => {
  expect(await violated(() => Promise.resolve())).toEqual([]);
});

const lease = { leaseId: 'lse_4xbc2v046aapvvgkvkprqp1h6y' };
test.each<readonly [string, (copy: string) => Promise<void>]>([
  [
    'the log is whole and in order',
    async (copy) => {
      const stream = 'planted-time';
      await append(copy, 'accounts.TenantRenamed', { name: 'a' }, { stream });
      await append(copy, 'accounts.TenantRenamed', { name: 'b' }, { stream, time: BEGINS });
    },
  ],
  ['no ledger was ever beyond a limit', (copy) => append(copy, 'quotas.Reserved')],
  [
    'no address ever had two holders',
    async (copy) => {
      await append(copy, 'containers.AddressLeased');
      await append(copy, 'containers.AddressLeased', lease);
    },
  ],
  ['no node ever held more than it has', (copy) => append(copy, 'containers.NodeCapacityTaken')],
  [
    'every operation has ended or has an owner',
    (copy) => append(copy, 'provisioning.OperationStarted'),
  ],
  ['nothing is held for what is gone', (copy) => append(copy, 'containers.AddressLeased')],
  [
    'what runs is paid for, and what is paid for runs',
    (copy) => append(copy, 'billing.SubscriptionStarted'),
  ],
  [
    'every node is one that its container’s order had asked for',
    async (copy) => {
      const operationId = deriveId('operation', 'labelled');
      const order = {
        ...{ kind: 'provision', tenantId: deriveId('tenant', 'one'), planCode: 'small' },
        ...{ hostname: 'one.example.com', imageId: deriveId('image', 'one'), labels: ['ssd'] },
      };
      const stream = `operation-${operationId}`;
      await append(copy, 'provisioning.OperationStarted', { operationId, order }, { stream });
      const causationid = idOf(stream, 'provisioning.OperationStarted', { operationId, order });
      await append(copy, 'containers.NodeCapacityTaken', {}, { causationid });
    },
  ],
  [
    'nobody has acted out of their reach',
    (copy) =>
      append(copy, 'quotas.LimitSet', {}, { actorid: deriveId('apiKey', 'given to nobody') }),
  ],
  ['who is erased has no key, and everybody else’s opens', eraseInLog],
  [
    'no home is parked',
    (copy) =>
      append(copy, 'reactions.CheckpointRecorded', {
        marks: Array<string>(PARTITIONS).fill(''),
        parked: [
          {
            ...{ homeId: 'a-home', from: '1', eventId: uuidOf('parked'), type: 'a.Type' },
            ...{ reaction: 'a.policy', reason: 'handler-failed', since: NOON },
          },
        ],
      }),
  ],
  ['the books balance', (copy) => append(copy, 'billing.PaymentRecorded')],
  [
    'what is closed is invoiced and booked once, without a gap',
    (copy) => append(copy, 'billing.InvoiceIssued'),
  ],
  ['who is overdue is held, and nobody else', (copy) => append(copy, 'billing.DunningHoldDue')],
  [
    'invoices are what the second opinion comes to',
    (copy) => append(copy, 'billing.InvoiceIssued'),
  ],
  ['nothing is left over', (copy) => append(copy, 'containers.AddressLeased')],
  ['a rebuild equals the live read models', changeQuotaRow],
  ['quotas are shown as they are', changeQuotaRow],
])('it is found and named where not: %s', async (what, plant) => {
  expect(await violated(plant)).toContain(what);
});

/** The log says that somebody is erased, and nobody has destroyed the key. */
async function eraseInLog(copy: string): Promise<void> {
  const files = await readdir(join(copy, 'keys', 'persons'), { recursive: true });
  const key = files.find((file) => file.endsWith('.contact.key'));
  if (key === undefined) throw new Error('there is no key');
  const [personId] = basename(key).split('.');
  await append(copy, 'accounts.PersonErased', { personId, purposes: ['contact'] });
}

/** A read model's file says that something is used, and the log does not. */
async function changeQuotaRow(copy: string): Promise<void> {
  const service = allServices.find(({ name }) => name === 'quotas');
  if (service === undefined) throw new Error('there is no such service');
  const schema = viewSchemaOf(service, RELEASE);
  const views = openSqliteViews({ file: join(copy, 'views', 'quotas'), ...schema });
  try {
    const table = schema.tables.find(({ name }) => name === 'quotas');
    const shown = [...views.rows()].find((row) => row.table === 'quotas');
    const at = views.checkpoint();
    if (table === undefined || shown === undefined || at === undefined) throw new Error('no row');
    const row = Body.parse(JSON.parse(shown.json));
    const used = { ...Body.parse(row['used']), containers: '1' };
    // As if one more event had been applied, so the log must have it, too.
    await append(copy, 'accounts.TenantRenamed');
    const position = formatPosition(parsePosition(at.position) + 1n);
    const eventId = uuidOf('planted-accounts.TenantRenamed', 'accounts.TenantRenamed', '{}');
    views.apply({ ...at, position, eventId }, (view) => {
      view.put(table, { ...row, used });
    });
    views.commit();
  } finally {
    views.close();
  }
}
