/** The HTTP server of a process: liveness, readiness, and its own handler for everything else. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  /** The setting that says both, where HOST and PORT do not: named when it cannot be listened there. */
  readonly setting?: string;
  /** What callers are shown by TLS, as PEM; plain HTTP without. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Whether requests should be sent here. */
  readonly ready: () => boolean;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface HttpServer {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Takes no more requests; those under way end, by force after the deadline. */
  stop(deadlineMilliseconds: number): Promise<void>;
}

/** Milliseconds that an idle connection is kept. */
const KEEP_ALIVE = 30_000;

/** Listens. Rejects with a sentence that names the address and the remedy. */
export async function listen(options: HttpOptions): Promise<HttpServer> {
  let stopping = false;
  const { tls } = options;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '' } = request;
    const path = url.startsWith('/health/') ? url.split('?')[0] : undefined;
    if (path === '/health/live') say(response, 200, 'live');
    else if (path === '/health/ready') {
      const ready = options.ready() && !stopping;
      say(response, ready ? 200 : 503, ready ? 'ready' : 'not ready');
    } else {
      options.handle(request, response).catch(() => {
        // The gateway answers what it can; here the connection itself has broken.
        response.destroy();
      });
    }
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  // Callers keep connections: one that ends between two calls costs a new one, or a repetition.
  server.keepAliveTimeout = KEEP_ALIVE;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(explain(error, options), { cause: error }));
    });
    server.listen(options.port, options.host, resolve);
  });
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${options.host}:${portOf(server)}`,
    stop: async (deadlineMilliseconds) => {
      stopping = true;
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      server.closeIdleConnections();
      const force = setTimeout(() => {
        server.closeAllConnections();
      }, deadlineMilliseconds);
      await closed;
      clearTimeout(force);
    },
  };
}

function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.end(`${text}\n`);
}

function explain(error: NodeJS.ErrnoException, { host, port, setting }: HttpOptions): string {
  const [portSetting, hostSetting] = setting === undefined ? ['PORT', 'HOST'] : [setting, setting];
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use. Stop what listens there, or set ${portSetting} to another (0 = any free one).`;
    case 'EACCES':
      return `Listening on ${host}:${port} is not allowed for this user. Set ${portSetting} to 1024 or above.`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine. Set ${hostSetting} to one, e.g. 127.0.0.1.`;
    default:
      return `Cannot listen on ${host}:${port}: ${error.message}`;
  }
}
