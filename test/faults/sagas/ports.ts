/** What a process reaches outside, as one life of it does: dead, it reaches nothing. */
import type { Driver, OpenedNode } from '@bivouac/agent';
import { StepAsked } from '@bivouac/events/operations';
import type { Bus } from '@bivouac/infra/bus';
import type { EventStore } from '@bivouac/infra/event-store';
import type { EdgePorts, ManualClock, ServiceDefinition } from '@bivouac/infra/runtime';

import type { PackageFiles } from '../../../services/agent/src/package-files.ts';
import type { Life } from './life.ts';

/** A little more than the interval in which reactions write down how far they have come. */
const SECOND = 1010;

/**
 * The log. A second passes with each ask, so that reactions write down how far they have come in the
 * middle of everything.
 */
export function mortalStore(store: EventStore, life: Life, clock: ManualClock): EventStore {
  return {
    append: (stream, expected, events) => {
      const types = events.map(({ type }) => type);
      const name = `append to ${withoutIds(stream)}: ${types.join(', ')}`;
      return life.act(name, async () => {
        const result = await store.append(stream, expected, events);
        if (types.includes(StepAsked.type)) clock.advance(SECOND);
        return result;
      });
    },
    readStream: (stream, options) => life.ask(() => store.readStream(stream, options)),
    readAll: (options) => life.ask(() => store.readAll(options)),
    readHome: (home, options) => life.ask(() => store.readHome(home, options)),
    head: () => life.ask(() => store.head()),
    subscribe: (options) => life.follow(store.subscribe(options)),
    close: () => Promise.resolve(),
  };
}

/** Ids say nothing of where one is. */
function withoutIds(stream: string): string {
  return stream.replaceAll(/[a-z]+_[0-9a-z]{26}/g, '*');
}

/** The bus: failpoints where a group is given what it reacts to and where it has taken it. */
export function mortalBus(bus: Bus, life: Life, services: readonly ServiceDefinition[]): Bus {
  const heeded = new Map(services.map((service) => [service.name, typesOf(service)]));
  return {
    consume: (options) =>
      bus.consume({
        ...options,
        deliver: async (partition, messages) => {
          const types = messages
            .flatMap((one) => (one.kind === 'event' ? [one.event.type] : []))
            .filter((type) => heeded.get(options.group)?.has(type));
          if (types.length === 0) return options.deliver(partition, messages);
          const name = `delivery to ${options.group}: ${types.join(', ')}`;
          await life.at(`before ${name}`);
          await options.deliver(partition, messages);
          return life.at(`after ${name}`);
        },
      }),
    close: () => bus.close(),
  };
}

/** What a service reacts to. */
function typesOf({ policies, responders }: ServiceDefinition): ReadonlySet<string> {
  const types = policies.flatMap(({ definitions }) => definitions.map(({ type }) => type));
  return new Set(responders.length > 0 ? [...types, StepAsked.type] : types);
}

/** Keys, secrets and blobs. */
export function mortalPorts({ keys, secrets, blobs, random }: EdgePorts, life: Life): EdgePorts {
  return {
    keys: {
      seal: (...given) => life.ask(() => keys.seal(...given)),
      open: (sealed) => life.ask(() => keys.open(sealed)),
      hmac: (...given) => life.ask(() => keys.hmac(...given)),
      destroy: (...given) => life.ask(() => keys.destroy(...given)),
      forget: (...given) => {
        keys.forget(...given);
      },
      close: () => Promise.resolve(),
    },
    secrets,
    blobs: {
      put: (content) => life.act('put of a blob', () => blobs.put(content)),
      get: (digest) => life.ask(() => blobs.get(digest)),
    },
    random,
  };
}

/** Steps of an engine that change something. */
export const engineSteps = [
  ...(['prepareImage', 'create', 'applyLimits', 'configureNetwork'] as const),
  ...(['start', 'stop', 'freeze', 'thaw', 'destroy', 'transact'] as const),
];
export type EngineStep = (typeof engineSteps)[number];

/** The engine, which goes on when the agent dies; `fault` throws where a step is to fail. */
export function mortalDriver(
  engine: Driver,
  life: Life,
  fault: (step: EngineStep) => void,
): Driver {
  const step = <T>(name: EngineStep, call: () => Promise<T>): Promise<T> =>
    life.act(`engine's ${name}`, async () => {
      fault(name);
      return call();
    });
  return {
    inventory: () => life.ask(() => engine.inventory()),
    prepareImage: (image) => step('prepareImage', () => engine.prepareImage(image)),
    create: (ref, spec) => step('create', () => engine.create(ref, spec)),
    applyLimits: (ref, limits) => step('applyLimits', () => engine.applyLimits(ref, limits)),
    configureNetwork: (ref, network) =>
      step('configureNetwork', () => engine.configureNetwork(ref, network)),
    start: (ref) => step('start', () => engine.start(ref)),
    stop: (ref, grace) => step('stop', () => engine.stop(ref, grace)),
    freeze: (ref) => step('freeze', () => engine.freeze(ref)),
    thaw: (ref) => step('thaw', () => engine.thaw(ref)),
    destroy: (ref) => step('destroy', () => engine.destroy(ref)),
    observe: (containerId) => life.ask(() => engine.observe(containerId)),
    list: () => life.ask(() => engine.list()),
    usage: (containerIds) => life.ask(() => engine.usage(containerIds)),
    packages: (containerId) => life.ask(() => engine.packages(containerId)),
    transact: (...given) => step('transact', () => engine.transact(...given)),
    close: () => Promise.resolve(),
  };
}

/** The agent's own durable file. */
export function mortalFence(fence: OpenedNode['fence'], life: Life): OpenedNode['fence'] {
  return {
    check: (instruction, now) =>
      life.act(`fence's check of ${instruction.step}`, () => fence.check(instruction, now)),
    record: (instructionId, answer) =>
      life.act("fence's record", () => fence.record(instructionId, answer)),
    close: () => Promise.resolve(),
  };
}

/** Where package files are fetched to. */
export function mortalFiles(files: PackageFiles, life: Life): PackageFiles {
  return {
    fetch: async (...given) => {
      const { paths, dispose } = await life.ask(() => files.fetch(...given));
      return { paths, dispose: () => life.ask(dispose) };
    },
  };
}
