/**
 * Several servers of one log, of which one leads: what a cluster is to its clients, as far as finding and
 * following the leader goes. What is in the log is replicated at once, but for the fault `unreplicated`.
 */
import type { Node, Seat } from './seat.ts';
import { type ServedEventStore, type ServeOptions, serveEventStore } from './server.ts';

interface Member extends Node {
  /** Undefined while it is away. */
  server: ServedEventStore | undefined;
}

/** A cluster whose servers can be made to lead, ended and begun again. */
export class ServedCluster {
  readonly #options: ServeOptions;
  readonly #members: Member[] = [];
  #leader: number | undefined = 0;

  private constructor(options: ServeOptions) {
    this.#options = options;
  }

  /** Begins so many servers. The first one leads. */
  static async serve(
    size: number,
    options: Omit<ServeOptions, 'port' | 'seat' | 'host'>,
  ): Promise<ServedCluster> {
    const cluster = new ServedCluster(options);
    for (let n = 0; n < size; n++) {
      cluster.#members.push({ host: '127.0.0.1', port: 0, server: undefined });
      await cluster.begin(n);
    }
    return cluster;
  }

  /** `esdb://host:port,host:port…`: who leads is learnt from their gossip. */
  get url(): string {
    const hosts = this.#members.map(({ host, port }) => `${host}:${port}`).join(',');
    return `esdb://${hosts}?tls=false&discoveryInterval=5&maxDiscoverAttempts=20&gossipTimeout=1`;
  }

  /** The number of the one that leads. */
  get leader(): number | undefined {
    return this.#leader;
  }

  /** From now on this one leads, or none. Calls under way go on where they are. */
  lead(n: number | undefined): void {
    this.#leader = n;
  }

  /** Ends a server, with every call of it. */
  async end(n: number): Promise<void> {
    const member = this.#members[n];
    const server = member?.server;
    if (member !== undefined) member.server = undefined;
    await server?.close();
  }

  /** Begins it again, where it was. */
  async begin(n: number): Promise<void> {
    const member = this.#members[n];
    if (member === undefined || member.server !== undefined) return;
    const { host, port } = member;
    const server = await serveEventStore({
      ...this.#options,
      ...{ host, port, seat: this.#seat(n) },
    });
    const bound = Number(new URL(server.url.replace('esdb:', 'http:')).port);
    this.#members[n] = { host, port: bound, server };
  }

  async close(): Promise<void> {
    for (const n of this.#members.keys()) await this.end(n);
  }

  #seat(n: number): Seat {
    return {
      leadership: () => {
        if (this.#leader === n) return 'this';
        return this.#leader === undefined ? undefined : this.#members[this.#leader];
      },
      members: () =>
        this.#members.map(({ host, port, server }, i) => ({
          ...{ host, port },
          leads: i === this.#leader,
          alive: server !== undefined,
        })),
    };
  }
}
