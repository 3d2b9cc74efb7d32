/** The agent's outbound connection to an endpoint on another machine: `wss://…`, or `ws://…` to this one. */
import { connectChannel } from '@bivouac/infra/channels';
import type { Clock } from '@bivouac/infra/runtime';

import type { Dial } from './entering.ts';

/** Dials the endpoint; heartbeats, bounds and back-pressure are the channel's. */
export function dialing(options: {
  readonly url: string;
  readonly ca?: string;
  /** For heartbeats: real time, whatever time the agent is told. */
  readonly clock: Clock;
}): Dial {
  return async ({ message, closed }) => {
    const channel = await connectChannel({
      ...options,
      opened: () => ({ message, closed }),
    });
    return {
      send: (value) => {
        void channel.send(value);
      },
      close: () => {
        channel.close();
      },
    };
  };
}
