/** An ask's deadline against what its owner had settled before it: whoever was in time is right. */
import { expect, test } from '@jest/globals';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { AskSettled } from '@bivouac/events/containers';
import { eventRegistry } from '@bivouac/events/language';
import { AskAnswered, operationProtocolEvents, StepAsked } from '@bivouac/events/operations';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { embeddedBus } from '@bivouac/infra/bus';
import { memoryEventStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import {
  createLogger,
  type EdgePorts,
  type Host,
  ManualClock,
  policy,
  responder,
  service,
  type ServiceDefinition,
  startHost,
} from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';
import fc from 'fast-check';

import { StartOperation } from './api/index.ts';
import { staff } from './given.ts';
import { provisioningService } from './service.ts';

const tenantId = deriveId('tenant', 'customer');
const containerId = deriveId('container', 'web');
const registry = eventRegistry([AskSettled, ...operationProtocolEvents]);
const keys = memoryKeys();
const ports = { keys } as unknown as EdgePorts;

/** The owner's part of the work that is left to do after a crash: it hands in what is settled. */
function owner(pause: () => Promise<unknown>): ServiceDefinition {
  return service({
    name: 'containers',
    events: [AskSettled],
    ...{ commands: [], queries: [], projections: [], responders: [] },
    policies: [
      policy({
        name: 'containers.settle-asks',
        on: [AskSettled],
        react: async ({ data: { ask, name } }, context) => {
          await pause();
          await context.answer(ask, name, { outcome: 'done', result: {} });
        },
      }),
    ],
  });
}

function world(pause: () => Promise<unknown>) {
  const store = memoryEventStore();
  const clock = new ManualClock('2026-05-01T09:00:00.000Z');
  const paused = {
    ...store,
    head: () => store.head(),
    append: async (...[stream, expected, events]: Parameters<typeof store.append>) => {
      if (stream.startsWith('answer-')) await pause();
      return store.append(stream, expected, events);
    },
    readStream: (...args: Parameters<typeof store.readStream>) => store.readStream(...args),
    readAll: (...args: Parameters<typeof store.readAll>) => store.readAll(...args),
    readHome: (...args: Parameters<typeof store.readHome>) => store.readHome(...args),
    subscribe: (...args: Parameters<typeof store.subscribe>) => store.subscribe(...args),
    close: () => store.close(),
  };
  const start = (services: readonly ServiceDefinition[], failed: (error: unknown) => void) =>
    startHost({
      ...{ services, clock, ports, store: paused, views: () => memoryViews() },
      bus: embeddedBus({ store: paused, clock }),
      logger: createLogger('silent'),
      providerId: () => PROVIDER_ID,
      onFailure: failed,
    });
  return { store, clock, start };
}

/** A process asks for something and dies; the owner had it settled, or not. */
async function orderAndDie(it: ReturnType<typeof world>, host: Host, settled: boolean) {
  const order = { kind: 'power' as const, containerId, action: 'stop' as const };
  const input = { order, tenantId, homeId: tenantId };
  await host.command(StartOperation, input, { principal: staff, idempotencyKey: 'one' });
  const log = (await it.store.readAll({ limit: 1000 })).events;
  const asked = log.flatMap((event) => registry.decode(event) ?? []).at(-1);
  const { ref, ask, notAfter } = StepAsked.schema.parse(asked?.data);
  if (settled) {
    const body = { containerId, ask: ref, name: ask, outcome: 'done' as const, gone: false };
    const encoded = registry.encode(AskSettled({ ...body, result: {} }));
    await it.store.append(`container-${containerId}`, 'no-stream', [
      {
        ...{ ...encoded, id: uuidOf('settled'), type: AskSettled.type },
        ...{ tenantid: tenantId, homeid: tenantId, actorid: 'policy:test' },
        ...{ time: instantOf(it.clock.now()), correlationid: '', causationid: '' },
        ...{ commandkey: uuidOf('settling'), inputhash: '' },
      },
    ]);
  }
  await host.stop(1000);
  it.clock.moveTo(notAfter);
  it.clock.advance(1);
}

async function outcomes(it: ReturnType<typeof world>): Promise<unknown[]> {
  const { events } = await it.store.readAll({ limit: 1000 });
  return events.flatMap((event) => {
    const known = event.type === AskAnswered.type ? registry.decode(event) : undefined;
    return known === undefined ? [] : [known.data['outcome']];
  });
}

test('what was settled in time counts, however late it is handed in and whatever comes first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.boolean(), async (s, ownerFirst) => {
      let pausing = false;
      const pause = () => (pausing ? s.schedule(Promise.resolve(), 'pause') : Promise.resolve());
      const it = world(pause);
      let failure: unknown;
      const failed = (error: unknown): void => {
        failure = error;
      };
      await orderAndDie(it, await it.start([provisioningService], failed), true);
      pausing = true;
      const both = [provisioningService, owner(pause)];
      const host = await it.start(ownerFirst ? both.reverse() : both, failed);
      await s.waitFor(host.settled());
      pausing = false;
      await host.stop(1000);
      expect(failure).toBeUndefined();
      expect((await outcomes(it))[0]).toBe('done');
    }),
    { numRuns: 30 },
  );
});

test('what was not settled is timed out, also where the owner never ran here', async () => {
  for (const services of [
    [provisioningService],
    [provisioningService, owner(() => Promise.resolve())],
  ]) {
    const it = world(() => Promise.resolve());
    const failed = (error: unknown): void => {
      throw error;
    };
    await orderAndDie(it, await it.start([provisioningService], failed), false);
    const host = await it.start(services, failed);
    await host.settled();
    await host.stop(1000);
    expect((await outcomes(it))[0]).toBe('timed-out');
  }
});

test('a step that is put off is asked for again by its timer, also by the process after a crash', async () => {
  const it = world(() => Promise.resolve());
  const failed = (error: unknown): void => {
    throw error;
  };
  let asked = 0;
  const busy = { code: 'CONTAINER_BUSY', message: 'Wait for its end.', retryable: true };
  const power = responder('containers.power', {
    act: () => {
      asked += 1;
      return Promise.resolve(
        asked < 3 ? { outcome: 'refused', refusal: busy } : { outcome: 'done', result: {} },
      );
    },
  });
  const { name } = owner(() => Promise.resolve());
  const containers = service({
    name,
    ...{ events: [], commands: [], queries: [], projections: [], policies: [] },
    responders: [power],
  });
  const start = () => it.start([provisioningService, containers], failed);
  const first = await start();
  const order = { kind: 'power' as const, containerId, action: 'stop' as const };
  const input = { order, tenantId, homeId: tenantId };
  await first.command(StartOperation, input, { principal: staff, idempotencyKey: 'one' });
  await first.settled();
  expect(asked).toBe(1);
  it.clock.advance(5000);
  await first.settled();
  expect(asked).toBe(2);
  await first.stop(1000);
  it.clock.advance(3_600_000);
  const second = await start();
  await second.settled();
  await second.stop(1000);
  expect(asked).toBe(3);
  expect(await outcomes(it)).toEqual(['refused', 'refused', 'done']);
  expect((await it.store.readAll({ limit: 1000 })).events.map(({ type }) => type)).toContain(
    'provisioning.OperationSucceeded',
  );
});
