/**
 * What lies between an agent and the endpoint: messages arrive in order and late, and now and then the
 * connection is gone. Each side learns of that in its own time, and what was on its way is lost.
 */
import type { NodeEndpoint } from '@bivouac/containers';

import type { Connect } from '../../../services/agent/src/connection.ts';
import type { SimulatedProcess } from './process.ts';

export interface WireFaults {
  /** The connection breaks with a message. */
  readonly broken: number;
}

/** A process that agents can connect to. */
export interface Entrance {
  readonly process: SimulatedProcess;
  readonly endpoint: NodeEndpoint;
}

/** Connects an agent to one of the entrances that are open. */
export function connecting(
  nodeId: string,
  agent: SimulatedProcess,
  entrances: () => readonly Entrance[],
  faults: () => WireFaults,
): Connect {
  const { scheduler, draws } = agent.surroundings;
  return (receive, closed) =>
    agent.call('connect', () => {
      const entrance = draws.pick(entrances());
      if (entrance === undefined) return Promise.reject(new Error('no endpoint can be reached'));
      const { process, endpoint } = entrance;
      let broken = false;
      const last = { up: 0, down: 0 };
      const carry = (way: 'up' | 'down', to: SimulatedProcess, arrive: () => void): void => {
        if (broken) return;
        if (draws.chance(faults().broken)) {
          breakOff('the network is away');
          return;
        }
        last[way] = Math.max(last[way], scheduler.now + to.latency());
        scheduler.after(last[way] - scheduler.now, to, `gets a message ${way}`, () => {
          if (!broken) arrive();
        });
      };
      const breakOff = (why: string): void => {
        if (broken) return;
        broken = true;
        scheduler.after(noticedAfter(), agent, 'notices a broken connection', () => {
          closed(why);
        });
        scheduler.after(noticedAfter(), process, 'notices a broken connection', () => {
          connection.close();
        });
      };
      const noticedAfter = (): number => draws.unit() * (draws.chance(0.7) ? 20 : 5000);
      const connection = endpoint.connect(nodeId, (message) => {
        carry('down', agent, () => {
          receive(message);
        });
      });
      process.onEnd(() => {
        breakOff('the endpoint is gone');
      });
      agent.onEnd(() => {
        breakOff('the agent is gone');
      });
      // It died while it asked: its connection stands until that is noticed.
      if (agent.over) breakOff('the agent is gone');
      return Promise.resolve({
        send: (message) => {
          carry('up', process, () => {
            connection.receive(message);
          });
        },
        close: () => {
          breakOff('the agent has closed it');
        },
      });
    });
}
