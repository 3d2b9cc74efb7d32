/**
 * Where a process is called: it listens before anything is made, so that a port in use is said first,
 * and answers from when there is something to answer with.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Config } from '../runtime/index.ts';
import type { Closing } from './closing.ts';
import { listen } from './http.ts';
import { tlsOf } from './settings.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface Entrance {
  readonly url: string;
  /** Whether calls should be sent here. */
  ready(): boolean;
  /** From now on calls are answered, while `isReady` says so; closed before all that was opened until now. */
  open(handle: Handler, isReady: () => boolean): void;
}

export async function openEntrance(
  config: Pick<Config, 'HOST' | 'PORT' | 'SHUTDOWN_MS' | 'SERVICE_TLS_CERT' | 'SERVICE_TLS_KEY'>,
  closing: Closing,
): Promise<Entrance> {
  let serving: Handler | undefined;
  let isReady = (): boolean => false;
  const ready = (): boolean => serving !== undefined && isReady();
  const server = await listen({
    ...{ host: config.HOST, port: config.PORT, ready },
    tls: await tlsOf(config),
    handle: (request, response) => (serving ?? notYet)(request, response),
  });
  const stop = (): Promise<void> => server.stop(config.SHUTDOWN_MS);
  // For a start that fails on the way.
  closing.add(stop);
  return {
    url: server.url,
    ready,
    open: (handle, whether) => {
      isReady = whether;
      serving = handle;
      closing.add(stop);
    },
  };
}

/** Also what a process that is not called answers with for ever. */
export function notFound(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(404).end();
  return Promise.resolve();
}

function notYet(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(503, { 'retry-after': '1' }).end();
  return Promise.resolve();
}
