/**
 * What was acknowledged is in the log, once; one key never yields two things; a repeat answers the
 * same; what was refused has left no trace.
 */
import { is, type Recorded } from '@bivouac/events/language';
import { OperationStarted } from '@bivouac/events/provisioning';

import type { History } from '@bivouac/all/checks/history';
import type { Sending, Wish } from '../load.ts';
import type { Answer } from '../messages.ts';

type Accepted = Extract<Answer, { readonly ok: true }>;

export function acknowledgementViolations(
  history: History,
  sendings: readonly Sending[],
): string[] {
  const log = new Log(history);
  const violations: string[] = [];
  const byWish = new Map<string, Sending[]>();
  for (const sending of sendings) {
    const { key, caller } = sending.wish;
    const of = `${key} of ${caller.id} ${caller.tenantId}`;
    byWish.set(of, [...(byWish.get(of) ?? []), sending]);
  }
  for (const [of, sent] of byWish) {
    for (const what of violationsOf(sent, log)) violations.push(`${of}: ${what}`);
  }
  return [...violations, ...doubles(history)];
}

function* violationsOf(sent: readonly Sending[], log: Log): Generator<string> {
  const own = sent.filter(({ altered }) => !altered);
  const answers = own.flatMap(({ answer }) => answer ?? []);
  const accepted = answers.filter((answer) => answer.ok);
  for (const answer of accepted) yield* lost(answer, log);

  const remembered = accepted.filter(({ position }) => position !== null);
  for (const what of ['stream', 'revision', 'result'] as const) {
    const said = new Set(remembered.map((answer) => JSON.stringify(answer[what])));
    if (said.size > 1) yield `its ${what} is answered differently: ${[...said].join(' and ')}`;
  }
  // Two replicas that do the same at the same instant do it once, and neither repeats the other.
  const done = new Set(remembered.flatMap((one) => (one.repeated ? [] : [one.position])));
  if (done.size > 1) yield `it was done ${done.size} times`;

  for (const { altered, answer } of sent) {
    if (altered && answer?.ok === true) yield 'the same key was accepted with other input';
  }

  const wish = own[0]?.wish;
  yield* mistaken(wish, answers, log);
  if (wish === undefined || accepted.length > 0) return;
  if (answers.length === 0) yield 'it was never answered';
  // A last sending whose outcome nobody knows may have been taken.
  else if (own.at(-1)?.answer !== undefined && log.startedFor(wish).length > 0) {
    yield 'it was refused, and an operation was started';
  }
}

/** An order is its orderer's alone: its key and its operation are nobody else's. */
function* mistaken(
  wish: Wish | undefined,
  answers: readonly Answer[],
  log: Log,
): Generator<string> {
  if (wish?.request.type !== 'order' || wish.request.order.kind !== 'provision') return;
  for (const answer of answers) {
    if (!answer.ok) {
      if (TAKEN_FOR_OTHERS.has(answer.code)) yield `it was refused as another's: ${answer.code}`;
      continue;
    }
    const { operationId } = answer.result;
    const tenantId = typeof operationId === 'string' ? log.tenantOf(operationId) : undefined;
    if (tenantId !== undefined && tenantId !== wish.request.tenantId) {
      yield `it was answered with ${String(operationId)}, which is of ${tenantId}`;
    }
  }
}

/** What an order under a key that its orderer has not used otherwise is never answered with. */
const TAKEN_FOR_OTHERS = new Set(['NOT_FOUND', 'IDEMPOTENCY_CONFLICT']);

/** Whether the events that an answer speaks of are there, together, once. */
function* lost({ stream, revision, position, result }: Accepted, log: Log): Generator<string> {
  const { operationId } = result;
  if (typeof operationId === 'string' && log.tenantOf(operationId) === undefined) {
    yield `lost: ${operationId} was acknowledged and is not in the log`;
  }
  if (position === null) return;
  const last = log.at(stream, revision);
  if (last === undefined) yield `lost: ${stream} has no revision ${revision}`;
  else if (last.position > position) yield `${stream} ${revision} stands behind ${position}`;
  else {
    const events = log.ofCommand(last.commandkey);
    const whole = events.every(
      (event, i) =>
        event.stream === stream && event.revision === last.revision - BigInt(events.length - 1 - i),
    );
    if (!whole) yield `the events of its command do not stand together in ${stream}`;
  }
}

/** One order, one operation: whatever the keys of commands say. */
function* doubles(history: History): Generator<string> {
  const seen = new Map<string, string>();
  for (const event of history) {
    if (!is(event, OperationStarted)) continue;
    const { order, operationId } = event.data;
    if (seen.has(operationId)) yield `${operationId} was started twice`;
    seen.set(operationId, operationId);
    if (order.kind !== 'provision') continue;
    const other = seen.get(order.hostname);
    if (other !== undefined) yield `${operationId} and ${other} are one order, ${order.hostname}`;
    seen.set(order.hostname, operationId);
  }
}

class Log {
  /** By operation, whose it is. */
  readonly #tenants = new Map<string, string>();
  readonly #byPlace = new Map<string, Recorded>();
  readonly #byCommand = new Map<string, Recorded[]>();
  readonly #started: Recorded[] = [];

  constructor(history: History) {
    for (const event of history) {
      this.#byPlace.set(`${event.stream} ${event.revision}`, event);
      this.#byCommand.set(event.commandkey, [...this.ofCommand(event.commandkey), event]);
      if (!is(event, OperationStarted)) continue;
      this.#tenants.set(event.data.operationId, event.tenantid);
      this.#started.push(event);
    }
  }

  /** Whose an operation is; undefined where none was started. */
  tenantOf(operationId: string): string | undefined {
    return this.#tenants.get(operationId);
  }

  at(stream: string, revision: string): Recorded | undefined {
    return this.#byPlace.get(`${stream} ${revision}`);
  }

  ofCommand(commandKey: string): readonly Recorded[] {
    return this.#byCommand.get(commandKey) ?? [];
  }

  /** Operations that only this wish can have started: a host name is ordered once. */
  startedFor({ request }: Wish): readonly Recorded[] {
    if (request.type !== 'order' || request.order.kind !== 'provision') return [];
    const { hostname } = request.order;
    return this.#started.filter(
      (event) =>
        is(event, OperationStarted) &&
        event.data.order.kind === 'provision' &&
        event.data.order.hostname === hostname,
    );
  }
}
