/** Lets agents of other processes and machines connect to this one, each through the gate. */
import { readFile } from 'node:fs/promises';

import type { NodeGate } from '@bivouac/containers';
import { type Channel, type ChannelHandlers, listenForChannels } from '@bivouac/infra/channels';
import { type Clock, RuntimeError } from '@bivouac/infra/runtime';

/** The path that agents ask for. */
const PATH = '/agents';
/** Connections at once, strangers included. */
const MOST = 10_000;
/** Messages of one agent that are taken before those are recorded. */
const IN_HAND = 200;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

export interface AgentListener {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens. Throws a RuntimeError `misconfigured` that names the setting to change. */
export async function listenForAgents(
  options: ListenAddress & { readonly gate: NodeGate; readonly clock: Clock },
): Promise<AgentListener> {
  const { host, port, tls, gate, clock } = options;
  try {
    return await listenForChannels({
      host,
      port,
      path: PATH,
      clock,
      most: MOST,
      ...(tls === undefined
        ? {}
        : {
            tls: { cert: await readFile(tls.cert, 'utf8'), key: await readFile(tls.key, 'utf8') },
          }),
      accept: (channel) => connected(channel, gate),
    });
  } catch (cause) {
    throw new RuntimeError(
      'misconfigured',
      `Agents cannot connect to ${host}:${port} (${cause instanceof Error ? cause.message : String(cause)}). ` +
        'Set AGENT_LISTEN to a free address of this machine, and AGENT_TLS_CERT and AGENT_TLS_KEY to readable PEM files.',
      { cause },
    );
  }
}

function connected(channel: Channel, gate: NodeGate): ChannelHandlers {
  const connection = gate.accept((message) => {
    const sent = channel.send(message);
    if (message.type === 'closing') channel.close();
    return sent;
  });
  let inHand = 0;
  return {
    message: (value) => {
      connection.receive(value);
      inHand += 1;
      if (inHand < IN_HAND) return;
      inHand = 0;
      channel.pause();
      void connection.settled().finally(() => {
        channel.resume();
      });
    },
    closed: () => {
      connection.close();
    },
  };
}
