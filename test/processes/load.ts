/**
 * Orders of several customers, so that replicas share them by their homes, and what must be so of them
 * afterwards whatever became of the replicas.
 */
import {
  inspect,
  operationEnd,
  type ProcessesInstallation,
  type ProcessesKind,
} from '@bivouac/all';
import { is, type Recorded } from '@bivouac/events/language';
import { partitionOf } from '@bivouac/infra/bus';
import { CheckpointRecorded } from '@bivouac/infra/runtime';

import type { Client } from '../e2e/client.ts';
import { open, type Running } from '../e2e/installation.ts';

/** What a client is told that may ask again. */
const AGAIN: readonly (string | undefined)[] = [
  ...['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'CONTENTION', 'NOT_YET'],
];

interface Customer {
  readonly id: string;
  readonly client: Client;
}

export class OrderLoad {
  readonly running: Running;
  readonly installation: ProcessesInstallation;
  /** What parts have said of their own: that something which must run has stopped. */
  readonly failures: readonly unknown[];
  /** Operations that were accepted. */
  readonly accepted: string[] = [];
  readonly #kind: ProcessesKind;
  readonly #customers: readonly Customer[];

  private constructor(
    parts: Pick<OrderLoad, 'running' | 'installation' | 'failures'>,
    kind: ProcessesKind,
    customers: readonly Customer[],
  ) {
    this.running = parts.running;
    this.installation = parts.installation;
    this.failures = parts.failures;
    this.#kind = kind;
    this.#customers = customers;
  }

  /** Starts a set with so many customers. */
  static async start(kind: ProcessesKind, customers: number): Promise<OrderLoad> {
    const failures: unknown[] = [];
    let installation: ProcessesInstallation | undefined;
    const running = await open({
      kind: {
        start: async (how) =>
          (installation = await kind.start({
            ...how,
            onFailure: (error) => failures.push(error),
          })),
        left: (folder) => kind.left(folder),
      },
    });
    if (installation === undefined) throw new Error('nothing was started');
    const made: Customer[] = [];
    for (let n = 0; n < customers; n++)
      made.push(await running.anotherCustomer(`customer-${n}`, 100));
    return new OrderLoad({ running, installation, failures }, kind, made);
  }

  /** Partitions of the customers' homes. */
  get partitions(): ReadonlySet<number> {
    return new Set(this.#customers.map(({ id }) => partitionOf(id)));
  }

  /** Every customer orders one more, all at once; who is told to come back comes back, with the same key. */
  async order(): Promise<readonly string[]> {
    const round = this.accepted.length;
    const ids = await Promise.all(
      this.#customers.map(async ({ id, client }, n) => {
        for (;;) {
          const hostname = `vps${round + n}.example.com`;
          const order = { accountId: id, hostname };
          const result = await this.running.order(order, `order ${round + n}`, client);
          if (result.operationId !== undefined) return result.operationId;
          if (!AGAIN.includes(result.code)) throw new Error(JSON.stringify(result));
        }
      }),
    );
    this.accepted.push(...ids);
    return ids;
  }

  /** How these have ended. */
  async ends(ids: readonly string[]): Promise<readonly string[]> {
    const ends = await Promise.all(ids.map((id) => operationEnd(this.installation, id)));
    return ends.map(({ status }) => status);
  }

  /** Resolves when so many more events are in the log; what is done to the set by then is done amid them. */
  async amid(events: number): Promise<void> {
    let left = events;
    await new Promise<void>((resolve) => {
      const stop = this.installation.host.follower.onApplied((_, seen) => {
        left -= seen.length;
        if (left > 0) return;
        stop();
        resolve();
      });
    });
  }

  /** Stops the set and reads all it has left: what is against a law, and the log. */
  async left(): Promise<{
    readonly violations: readonly string[];
    readonly history: readonly Recorded[];
  }> {
    const { folder } = this.running;
    await this.running.stop();
    const { history, violations } = await inspect(folder, this.#kind.left(folder), false);
    const found = Object.entries(violations).flatMap(([what, list]) =>
      list.map((one) => `${what}: ${one}`),
    );
    return { history, violations: [...found, ...goneBack(history)] };
  }
}

/** Checkpoints that took back what another had written. */
function goneBack(history: readonly Recorded[]): string[] {
  const found: string[] = [];
  const last = new Map<string, readonly bigint[]>();
  for (const event of history) {
    if (!is(event, CheckpointRecorded)) continue;
    const marks = event.data.marks.map((mark) => (mark === '' ? -1n : BigInt(mark)));
    for (const [partition, before] of (last.get(event.stream) ?? []).entries()) {
      if ((marks[partition] ?? -1n) < before)
        found.push(`${event.stream} goes back on ${partition} at revision ${event.revision}`);
    }
    last.set(event.stream, marks);
  }
  return found;
}
