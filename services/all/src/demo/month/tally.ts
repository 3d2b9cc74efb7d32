/** Sends what people want and counts what they were answered. */
import type { GraphqlClient, Result } from '../graphql.ts';
import { selectionOf } from './people.ts';
import type { Running } from './running.ts';

/** Mutations that only start an operation. */
const operations = new Set([
  'provisionContainer',
  'addAddresses',
  'removeAddress',
  'resizeContainer',
  'stopContainer',
  'startContainer',
  'restartContainer',
  'freezeContainer',
  'thawContainer',
  'suspendContainer',
  'resumeContainer',
  'deleteContainer',
  'restoreContainer',
  'cancelContainer',
  'terminateContainer',
  'purgeContainer',
  'retryOperation',
  'releaseOperation',
  'runMonth',
  'installPackages',
  'upgradePackages',
  'removePackages',
  'refreshPackages',
]);

export class Tally {
  readonly #running: Running;
  /** How often what was sent, by mutation. */
  readonly sent = new Map<string, number>();
  /** Of those, what was refused at once, by code. What an operation ends with is in the log. */
  readonly refused = new Map<string, number>();

  constructor(running: Running) {
    this.#running = running;
  }

  /** @param waits the operation stands until a period's end. */
  async send(
    client: GraphqlClient,
    name: string,
    input: Readonly<Record<string, unknown>>,
    key: string,
    waits = false,
  ): Promise<Result> {
    const select = operations.has(name)
      ? '... on OperationAccepted { operationId }'
      : selectionOf(name);
    const result = await client.mutate(name, input, key, select);
    count(this.sent, name);
    if (result.code !== undefined) count(this.refused, result.code);
    if (result.operationId !== undefined) this.#running.accepted(result.operationId, waits);
    return result;
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
