/** An operation to try things with: orders of every kind, and answers that fit each ask. */
import type {
  DecideContext,
  Decision,
  EventDefinition,
  Refusal,
  Rights,
} from '@bivouac/events/language';
import { type AskName, type AskRef, type Outcome, StepAsked } from '@bivouac/events/operations';
import { type OperationOrder, OperationOrderSchema } from '@bivouac/events/provisioning';
import { deriveId, uuidOf } from '@bivouac/events/values';

import type { release, resolve, retry } from './index.ts';
import {
  answerOverdue,
  cancel,
  type ChildNews,
  evolve,
  initial,
  type OperationEvent,
  type OperationState,
  type Orderer,
  recordAnswer,
  recordChild,
  resumeStep,
  start,
  streamEvents,
} from './index.ts';

const definitions = new Map<string, EventDefinition>(
  streamEvents.map((definition) => [definition.type, definition]),
);

export const tenantId = deriveId('tenant', 'customer');
export const containerId = deriveId('container', 'web');
const leaseId = deriveId('lease', 'one');
const source = { stream: 'plan-x', revision: '0' };
const plan = {
  planId: deriveId('plan', '1000'),
  code: '1000',
  name: '1000',
  source,
  limits: {
    cpuMillis: 1000,
    memoryBytes: '1073741824',
    diskBytes: '10737418240',
    processes: 240,
    cpuUnits: 1000,
  },
  includedAddresses: 1,
  monthly: { amount: '20.00', currency: 'EUR' },
  setup: { amount: '10.00', currency: 'EUR' },
  extraAddressMonthly: { amount: '2.00', currency: 'EUR' },
};
const imageId = deriveId('image', 'skel');
export const address = {
  leaseId,
  rangeId: deriveId('range', 'r'),
  address: '192.0.2.10',
  family: 'ipv4' as const,
};

/** A result that fits each ask, for owners that say yes. */
export const results: Partial<Record<AskName, Record<string, unknown>>> = {
  'billing.quote': { plan },
  'containers.prepare': {
    ...{ nodeId: deriveId('node', 'n'), nodeName: 'n', location: 'fra' },
    addresses: [address],
  },
  'containers.lease': { addresses: [address] },
  'containers.build': { runningAt: '2026-04-10T09:00:00.000Z' },
  'containers.inspect': {
    location: 'fra',
    plan,
    addresses: 1,
    reservation: { reservationId: deriveId('reservation', 'own'), addresses: 1 },
  },
  'containers.resize': { resizedAt: '2026-04-10T09:00:00.000Z' },
  'containers.remove-addresses': {
    addresses: [address],
    location: 'fra',
    reservationIds: [deriveId('reservation', 'r1')],
  },
  'containers.packages': {
    report: {
      ...{ added: [], removed: [], configFiles: [], output: '' },
      inventory: 'a'.repeat(64),
    },
  },
  'packages.resolve': { transaction: { install: [], upgrade: [], remove: [] } },
  'billing.period-end': { endedAt: '2026-05-01T00:00:00.000Z' },
  'billing.accounts-to-close': {
    accounts: [{ accountId: tenantId, homeId: tenantId }],
  },
  'containers.destroy': {
    placementId: deriveId('placement', 'p'),
    nodeId: deriveId('node', 'n'),
    reservationIds: [deriveId('reservation', 'r1'), deriveId('reservation', 'r2')],
    addresses: [address],
    location: 'fra',
  },
  'billing.invoice': { invoice: null },
};

export const orders: readonly OperationOrder[] = [
  {
    kind: 'provision',
    tenantId,
    hostname: 'web1.example.com',
    planCode: '1000',
    imageId,
  },
  { kind: 'suspend', containerId, hold: { kind: 'staff', reason: 'asked by phone' } },
  { kind: 'resume', containerId, holdId: deriveId('hold', 'h') },
  { kind: 'terminate', containerId, reason: 'cancelled' },
  { kind: 'add-address', containerId },
  { kind: 'close-month', accountId: tenantId, month: '2026-04' },
  { kind: 'power', containerId, action: 'restart' },
  { kind: 'resize', containerId, planCode: '2000' },
  { kind: 'resize', containerId, planCode: '2000', at: 'period-end' },
  { kind: 'remove-address', containerId, leaseIds: [leaseId] },
  { kind: 'packages', containerId, action: 'install', packages: ['bash'] },
  { kind: 'delete', containerId, reason: 'not needed' },
  { kind: 'restore', containerId },
  { kind: 'cancel', containerId, at: 'now', reason: 'moving' },
  { kind: 'cancel', containerId, reason: 'moving' },
  { kind: 'run-month', issuerId: tenantId, month: '2026-04' },
].map((order) => OperationOrderSchema.parse(order));

const busy = { code: 'CONTAINER_BUSY', message: 'Wait for its end.', retryable: true };

/** The provider's staff. */
export const by: Orderer = { staff: true, reaches: () => true, tenantId: deriveId('tenant', 'p') };

/** An operation with the contexts' and the children's answers given by the test. */
export class Run {
  state: OperationState = initial();
  readonly events: OperationEvent[] = [];
  readonly #commandKey: string;
  readonly #given: Partial<Record<AskName, Record<string, unknown>>>;

  constructor(
    order: OperationOrder,
    given: Partial<Record<AskName, Record<string, unknown>>> = {},
  ) {
    this.#given = { ...results, ...given };
    this.#commandKey = uuidOf('order', order.kind);
    this.#take(start(this.state, { order, tenantId, by }, this.context()));
  }

  context(): DecideContext {
    return {
      now: '2026-04-10T09:00:00.000Z',
      stream: 'operation-x',
      commandKey: this.#commandKey,
      actorId: 'key_x',
      tenantId,
      homeId: tenantId,
    };
  }

  /** What owners that say yes to an ask answer from now on, besides what they did. */
  give(ask: AskName, result: Record<string, unknown>): void {
    this.#given[ask] = { ...this.#given[ask], ...result };
  }

  /** One that goes on from here by itself. */
  copy(): Run {
    const { order } = this.state;
    if (order === undefined) throw new Error('it has an order');
    const copy = new Run(order, this.#given);
    copy.events.splice(0, copy.events.length, ...this.events);
    copy.state = this.state;
    return copy;
  }

  /** As it was after so many events. */
  stateAfter(events: number): OperationState {
    return this.events.slice(0, events).reduce(evolve, initial());
  }

  /** The asks nobody has answered. */
  open(): { ref: AskRef; ask: AskName }[] {
    return this.state.askings
      .filter((asking) => asking.status === 'asked')
      .map(({ step, attempt, ask }) => ({
        ref: { operationId: this.state.operationId, step, attempt },
        ask,
      }));
  }

  /** `busy`: refused for something that passes by itself. */
  answer(
    asked: { ref: AskRef; ask: AskName },
    answer: Outcome | 'busy',
    refusal: Refusal = answer === 'busy' ? busy : { code: 'NODE_FAILED', message: 'No.' },
  ): void {
    const outcome = answer === 'busy' ? 'refused' : answer;
    const decision = recordAnswer(
      this.state,
      {
        ...asked,
        outcome,
        ...(outcome === 'done' ? { result: this.#given[asked.ask] ?? {} } : { refusal }),
      },
      this.context(),
    );
    this.#take(decision);
  }

  /** Steps that are put off. */
  delayed(): { step: string; until: string }[] {
    return Object.entries(this.state.delays).flatMap(([step, { until }]) =>
      until === undefined ? [] : [{ step, until }],
    );
  }

  /** A timer's word. */
  resume(delay: { step: string; until: string }): void {
    this.#take(resumeStep(this.state, delay, this.context()));
  }

  cancel(who: { readonly by: Orderer; readonly held: Rights } = { by, held: 'all' }): Decision {
    const decision = cancel(this.state, who, this.context());
    if (decision.kind === 'accepted') this.#take(decision);
    return decision;
  }

  /** The ask of a step that nobody has answered. */
  asked(step: string): { ref: AskRef; ask: AskName } {
    const found = this.open().find(({ ref }) => ref.step === step);
    if (found === undefined) throw new Error(`the step ${step} is not asked`);
    return found;
  }

  /** Answers what is asked next. */
  answerNext(outcome: Outcome | 'busy'): void {
    const next = this.open()[0];
    if (next === undefined) throw new Error('nothing is asked');
    this.answer(next, outcome);
  }

  child(news: ChildNews): void {
    this.#take(recordChild(this.state, news, this.context()));
  }

  act(act: typeof retry | typeof resolve | typeof release): Decision {
    const decision = act(this.state, { reason: 'as agreed' }, this.context());
    if (decision.kind === 'accepted') this.#take(decision);
    return decision;
  }

  overdue(reservationId: string): void {
    this.#take(answerOverdue(this.state, { reservationId }, this.context()));
  }

  /** Answers everything with yes, and has every child succeed, until nothing is under way. */
  finish(): void {
    for (;;) {
      const asked = this.open()[0];
      const [childId] = this.state.children.open.keys();
      const [delay] = this.delayed();
      if (delay !== undefined) this.resume(delay);
      else if (asked !== undefined) this.answer(asked, 'done');
      else if (childId !== undefined) this.child({ childId, outcome: 'succeeded' });
      else return;
    }
  }

  /** The steps asked, in order, as `<step>/<attempt>`. */
  refs(): string[] {
    return this.events.flatMap((event) =>
      event.type === StepAsked.type ? [`${event.data.ref.step}/${event.data.ref.attempt}`] : [],
    );
  }

  #take(decision: Decision): void {
    if (decision.kind !== 'accepted') throw new Error(decision.refusal.message);
    for (const decided of decision.events) {
      // As the log would have it: what cannot be written is not decided.
      definitions.get(decided.type)?.schema.parse(decided.data);
      const event = { ...decided, time: this.context().now } as unknown as OperationEvent;
      this.events.push(event);
      this.state = evolve(this.state, event);
    }
  }
}

/** The order of a kind; the first where there are several. */
export function orderOf(kind: OperationOrder['kind']): OperationOrder {
  const order = orders.find((one) => one.kind === kind);
  if (order === undefined) throw new Error(`there is no order to ${kind}`);
  return order;
}
