/** The parts that a process of a set can be, and what each can be asked. */
import { readFile } from 'node:fs/promises';

import { type Dial, dialing } from '@bivouac/agent';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { startGatewayPart } from '@bivouac/graphql/part';
import { serveEventStore } from '@bivouac/infra/dev/eventstore';
import { openEmbeddedStore } from '@bivouac/infra/event-store';
import {
  callerOf,
  Closing,
  type Part,
  type PartOptions,
  startRelayPart,
  startServicePart,
} from '@bivouac/infra/process';
import { RuntimeError, systemClock } from '@bivouac/infra/runtime';

import { startEndpointPart } from '../endpoint/part.ts';
import { configuredNodes, connectNodes } from '../nodes.ts';
import { allServices } from '../services.ts';
import type { Role, Settled, Started } from './messages.ts';
import type { ToldClock } from './told-clock.ts';

export interface BecomeOptions extends PartOptions {
  readonly clock: ToldClock;
  /** For the nodes: where agents connect. */
  readonly endpoints: readonly string[];
}

/** A part that runs. What it has not, it answers with `defect`. */
export interface RunningPart {
  readonly started: Started;
  settle(): Promise<Settled>;
  dump(): { readonly sha256: string };
  rebuild(): Promise<void>;
  subscriptions(): number;
  endSubscriptions(): void;
  instances(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the part as its own program would. */
export async function becomePart(role: Role, options: BecomeOptions): Promise<RunningPart> {
  switch (role) {
    case 'store':
      return becomeStore(options);
    case 'relay':
      return partOf(role, await startRelayPart(options));
    case 'gateway': {
      // Rights are asked for again and streams give signs of life when the time has come, not before.
      const part = await startGatewayPart({ ...options, clock: options.clock.still() });
      return {
        ...partOf(role, part),
        subscriptions: () => part.gateway.subscriptions,
        endSubscriptions: () => {
          part.gateway.endSubscriptions();
        },
      };
    }
    case 'endpoint': {
      const part = await startEndpointPart(options);
      return { ...partOf(role, part), started: { url: part.url, endpoint: part.endpoint } };
    }
    case 'nodes':
      return becomeNodes(options);
    default:
      return becomeService(role, options);
  }
}

async function becomeService(name: string, options: BecomeOptions): Promise<RunningPart> {
  const definition = allServices.find((service) => service.name === name);
  if (definition === undefined) throw new RuntimeError('defect', `there is no service ${name}`);
  const part = await startServicePart(definition, options);
  const { host } = part;
  return {
    ...partOf(name, part),
    settle: async () => {
      await host.settled();
      const reactions = host.reactions.get(name);
      return reactions === undefined ? {} : { partitions: [...reactions.assigned()] };
    },
    dump: () => ({ sha256: host.follower.dump(name).sha256 }),
    rebuild: () => host.follower.rebuild(name),
  };
}

/** The embedded log, served to the others. */
async function becomeStore({ config, onFailure }: BecomeOptions): Promise<RunningPart> {
  const closing = new Closing();
  return closing.opening(async () => {
    const store = await openEmbeddedStore({ folder: config.DATA_DIR, onFailure });
    closing.add(() => store.close());
    const server = await serveEventStore({ store, port: config.PORT });
    closing.add(() => server.close());
    return partOf('store', { url: server.url, ready: () => true, stop: () => closing.close() });
  });
}

/** All nodes with an agent each, as on machines of their own: connected to the endpoint by sockets. */
async function becomeNodes(options: BecomeOptions): Promise<RunningPart> {
  const { config, clock, logger, endpoints } = options;
  const closing = new Closing();
  return closing.opening(async () => {
    const host = await callerOf(config, logger);
    closing.add(() => host.close());
    const { AGENT_TLS_CERT: cert } = config;
    const ca = cert === undefined ? {} : { ca: await readFile(cert, 'utf8') };
    const nodes = await connectNodes({
      ...{ host, clock: clock.still(), logger },
      configured: configuredNodes(config.NODE_URL),
      folder: config.DATA_DIR,
      provider: { tenantId: PROVIDER_ID, homeId: PROVIDER_ID },
      sampleSeconds: config.USAGE_SAMPLE_SECONDS,
      dial: inTurn(endpoints.map((url) => dialing({ url, clock: systemClock, ...ca }))),
    });
    closing.add(() => nodes.stop());
    return {
      ...partOf('nodes', { url: '', ready: () => true, stop: () => closing.close() }),
      started: { url: '', nodes: [...nodes.list] },
      instances: () => nodes.instances(),
    };
  });
}

/** Each time another replica of the endpoint: one that does not answer is not asked again at once. */
function inTurn(dials: readonly Dial[]): Dial {
  let turn = 0;
  return (handlers) => {
    const dial = dials[turn++ % dials.length];
    if (dial === undefined) throw new RuntimeError('misconfigured', 'there is no endpoint');
    return dial(handlers);
  };
}

function partOf(role: string, part: Part): RunningPart {
  const none = (what: string) => (): never => {
    throw new RuntimeError('defect', `${role} has no ${what}`);
  };
  return {
    started: { url: part.url },
    settle: () => Promise.resolve({}),
    dump: none('read model'),
    rebuild: none('read model'),
    subscriptions: none('subscriptions'),
    endSubscriptions: none('subscriptions'),
    instances: none('instances'),
    stop: () => part.stop(),
  };
}
