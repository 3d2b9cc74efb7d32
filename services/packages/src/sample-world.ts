/** The service alone on a log in memory, and what other contexts would record there: for tests. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import {
  ContainerDeleted,
  ContainerRunning,
  ImageDrafted,
  PackagesChanged,
} from '@bivouac/events/containers';
import {
  canonicalBytes,
  type CommandContract,
  type Decided,
  eventRegistry,
  type Principal,
  type QueryContract,
} from '@bivouac/events/language';
import { answerStream, StepAsked } from '@bivouac/events/operations';
import type { Package } from '@bivouac/events/packages';
import { deriveId, uuidOf } from '@bivouac/events/values';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { embeddedBus } from '@bivouac/infra/bus';
import { memoryEventStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import { createLogger, ManualClock, systemPrincipal } from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import type { z } from 'zod';

import { startHost } from '../../../infra/runtime/host.ts';
import type { RepositorySource } from './adapters/repository-source.ts';
import { memorySource } from './sample-source.ts';
import { packagesServiceWith } from './service.ts';

export const staff = systemPrincipal('system:test', PROVIDER_ID, PROVIDER_ID);
export const time = '2026-04-10T09:00:00.000Z';
export const later = '2026-04-11T09:00:00.000Z';
const stops: (() => Promise<void>)[] = [];

/** Ends every world of this test file. */
export async function closeAll(): Promise<void> {
  for (const stop of stops.splice(0)) await stop();
}

/** A customer's key, which reaches its own tenant alone. */
export function customerOf(tenantId: string): Principal {
  return {
    ...staff,
    id: 'key',
    kind: 'key',
    tenantId,
    homeId: tenantId,
    reach: new Set([tenantId]),
    rights: 'all',
    audience: 'customer',
  };
}

/** The service on a log of its own, whose repositories are what `source` reads. */
export async function newWorld(source: RepositorySource = memorySource(new Map())) {
  const packagesService = packagesServiceWith(source);
  const registry = eventRegistry(packagesService.events);
  const store = memoryEventStore();
  const clock = new ManualClock(time);
  const blobs = memoryBlobs();
  const host = await startHost({
    services: [packagesService],
    store,
    clock,
    bus: embeddedBus({ store, clock }),
    views: () => memoryViews(),
    ports: {
      blobs,
      keys: memoryKeys(),
      secrets: {
        put: () => Promise.resolve(),
        get: () => Promise.resolve(undefined),
        destroy: () => Promise.resolve(),
        close: () => Promise.resolve(),
      },
      random: (bytes) => new Uint8Array(bytes),
    },
    logger: createLogger('silent'),
    providerId: () => PROVIDER_ID,
    onFailure: (error) => {
      throw error;
    },
  });
  stops.push(() => host.stop(1000));
  let key = 0;

  const record = async (stream: string, tenantId: string, homeId: string, event: Decided) => {
    const page = await store.readStream(stream, { limit: 100 });
    const revision = page.exists ? BigInt(page.events.length - 1) : undefined;
    const commandkey = uuidOf(stream, String(revision ?? ''));
    const envelope = { tenantid: tenantId, homeid: homeId, actorid: 'x', inputhash: '', time };
    const causes = { correlationid: commandkey, causationid: commandkey, commandkey };
    const id = uuidOf(commandkey, '0');
    const body = registry.encode(event);
    await store.append(stream, revision ?? 'no-stream', [
      { id, type: event.type, ...body, ...envelope, ...causes },
    ]);
  };

  return {
    blobs,
    eventsOf: async (stream: string) => {
      const page = await store.readStream(stream, { limit: 100 });
      return page.exists ? page.events.flatMap((event) => registry.decode(event) ?? []) : [];
    },
    command: async <I extends z.ZodType, R extends z.ZodType>(
      contract: CommandContract<I, R>,
      input: z.input<I>,
      principal: Principal = staff,
    ) => host.command(contract, input, { principal, idempotencyKey: String(++key) }),
    query: async <I extends z.ZodType, R extends z.ZodType>(
      contract: QueryContract<I, R>,
      input: z.input<I>,
      principal: Principal = staff,
    ): Promise<z.output<R>> => {
      await host.settled();
      const reply = await host.query(contract, input, { principal });
      if (!reply.ok) throw new Error(reply.refusal.code);
      return reply.result;
    },
    drafts: (imageId: string, inventory: string) =>
      record(
        `image-${imageId}`,
        PROVIDER_ID,
        `image-${imageId}`,
        ImageDrafted({
          ...{ imageId, name: 'skel', digest: '1'.repeat(64), source: 'builtin:skel', inventory },
          services: [],
        }),
      ),
    runs: (tenantId: string, containerId: string, inventory: string) =>
      record(
        `container-${containerId}`,
        tenantId,
        tenantId,
        ContainerRunning({
          ...{ containerId, tenantId, hostname: 'web1', runningAt: time },
          reservationId: deriveId('reservation', containerId),
          plan: {
            planId: deriveId('plan', '1000'),
            code: '1000',
            name: 'VPS',
            source: { stream: 'plan-x', revision: '0' },
            limits: {
              ...{ cpuMillis: 1, memoryBytes: '1', diskBytes: '1', processes: 1, cpuUnits: 8 },
            },
            includedAddresses: 1,
            monthly: { amount: '1.00', currency: 'EUR' },
            setup: { amount: '0.00', currency: 'EUR' },
            extraAddressMonthly: { amount: '0.00', currency: 'EUR' },
          },
          image: {
            imageId: deriveId('image', 'skel'),
            ...{ name: 'skel', digest: '1'.repeat(64), source: 'builtin:skel', inventory },
            at: { stream: 'image-x', revision: '2' },
          },
          addresses: [
            {
              ...{ leaseId: deriveId('lease', containerId), rangeId: deriveId('range', 'r') },
              ...{ address: '192.0.2.10', family: 'ipv4' },
            },
          ],
        }),
      ),
    /** The container's node says what is installed; answers the list's digest. */
    says: async (
      tenantId: string,
      containerId: string,
      installed: unknown,
      operationId: string | null = null,
    ) => {
      const inventory = await blobs.put(canonicalBytes(installed));
      await record(
        `container-${containerId}`,
        tenantId,
        tenantId,
        PackagesChanged({ containerId, tenantId, operationId, inventory, observedAt: later }),
      );
      return inventory;
    },
    /** An operation asks what an order comes to; answers what it is told. */
    asks: async (
      tenantId: string,
      operation: string,
      input: { containerId: string; action: string; packages: readonly string[] },
    ) => {
      const ref = { operationId: deriveId('operation', operation), step: 'resolve', attempt: 1 };
      await record(
        `operation-${ref.operationId}`,
        tenantId,
        tenantId,
        StepAsked({
          ...{ ref, ask: 'packages.resolve', tenantId, input },
          notAfter: '2999-01-01T00:00:00.000Z',
        }),
      );
      await host.settled();
      const page = await store.readStream(answerStream(ref), { limit: 1 });
      const [answer] = page.exists ? page.events.flatMap((one) => registry.decode(one) ?? []) : [];
      return { operationId: ref.operationId, answer: answer?.data };
    },
    deletes: (tenantId: string, containerId: string, ran = true) =>
      record(
        `container-${containerId}`,
        tenantId,
        tenantId,
        ContainerDeleted({ containerId, tenantId, endedAt: later, ran }),
      ),
  };
}

export const pkg = (name: string, version: string, more: Partial<Package> = {}): Package => ({
  ...{ name, epoch: 0, version, release: '1.el9', arch: 'x86_64', ...more },
});
export const skel = [
  pkg('openssl-libs', '3.0.7', { epoch: 1 }),
  pkg('bash', '5.1.8'),
  pkg('glibc', '2.34'),
];
