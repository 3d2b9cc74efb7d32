import { describe, expect, test } from '@jest/globals';
import type { DecideContext, Decision } from '@bivouac/events/language';
import {
  type AskName,
  type AskRef,
  asks,
  type Outcome,
  StepAsked,
} from '@bivouac/events/operations';
import { type OperationOrder, OperationOrderSchema, StepEnded } from '@bivouac/events/provisioning';
import { deriveId, uuidOf } from '@bivouac/events/values';
import fc from 'fast-check';

import {
  cancel,
  evolve,
  initial,
  isUndo,
  type OperationEvent,
  type OperationState,
  recordAnswer,
  start,
} from './operation.ts';
import { planOf } from './plans/index.ts';

const tenantId = deriveId('tenant', 'customer');
const containerId = deriveId('container', 'web');
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
const address = {
  leaseId,
  rangeId: deriveId('range', 'r'),
  address: '192.0.2.10',
  family: 'ipv4' as const,
};

/** A result that fits each ask, for owners that say yes. */
const results: Partial<Record<AskName, Record<string, unknown>>> = {
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

const orders: readonly OperationOrder[] = [
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

/** An operation with the contexts' answers given by the test. */
class Run {
  state: OperationState = initial();
  readonly events: OperationEvent[] = [];
  readonly #commandKey: string;

  constructor(order: OperationOrder) {
    this.#commandKey = uuidOf('order', order.kind);
    this.#take(start(this.state, { order, tenantId, byStaff: true }, this.context()));
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

  /** The asks nobody has answered. */
  open(): { ref: AskRef; ask: AskName }[] {
    return this.state.askings
      .filter((asking) => asking.status === 'asked')
      .map(({ step, attempt, ask }) => ({
        ref: { operationId: this.state.operationId, step, attempt },
        ask,
      }));
  }

  answer(asked: { ref: AskRef; ask: AskName }, outcome: Outcome): void {
    const decision = recordAnswer(
      this.state,
      {
        ...asked,
        outcome,
        ...(outcome === 'done'
          ? { result: results[asked.ask] ?? {} }
          : { refusal: { code: 'NO', message: 'No.' } }),
      },
      this.context(),
    );
    this.#take(decision);
  }

  cancel(): Decision {
    const decision = cancel(this.state, this.context());
    if (decision.kind === 'accepted') this.#take(decision);
    return decision;
  }

  /** Answers everything with yes until nothing is asked. */
  finish(): void {
    for (let asked = this.open()[0]; asked !== undefined; asked = this.open()[0])
      this.answer(asked, 'done');
  }

  #take(decision: Decision): void {
    if (decision.kind !== 'accepted') throw new Error(decision.refusal.message);
    for (const decided of decision.events) {
      const event = { ...decided, time: this.context().now } as unknown as OperationEvent;
      this.events.push(event);
      this.state = evolve(this.state, event);
    }
  }
}

const over = ['succeeded', 'failed', 'cancelled', 'needs-attention'];
const refs = (run: Run): string[] =>
  run.events.flatMap((e) =>
    e.type === StepAsked.type ? [`${e.data.ref.step}/${e.data.ref.attempt}`] : [],
  );

describe('an operation', () => {
  test.each(orders)('whose every step is done succeeds ($kind)', (order) => {
    const run = new Run(order);
    run.finish();
    expect(run.state.phase).toBe('succeeded');
  });

  test('asks for nothing before what it needs is done', () => {
    const run = new Run(orders[0] as OperationOrder);
    expect(refs(run)).toEqual(['admit/1', 'quote/1']);
    for (const asked of run.open()) run.answer(asked, 'done');
    expect(refs(run).slice(2)).toEqual(['reserve/1']);
  });

  test('that is refused undoes what was done, last first, and fails with the reason', () => {
    const run = new Run(orders[0] as OperationOrder);
    for (const name of ['admit', 'quote', 'reserve', 'prepare']) {
      run.answer(run.open().find((a) => a.ref.step === name) as never, 'done');
    }
    run.answer(run.open()[0] as never, 'refused');
    expect(run.state.phase).toBe('undoing');
    run.finish();
    expect(refs(run).slice(-2)).toEqual(['undo-prepare-1/1', 'undo-reserve-1/1']);
    expect(run.state.phase).toBe('failed');
    expect(run.state.refusal?.code).toBe('NO');
  });

  test('tries a step again only after the earlier attempt is undone, with ids of its own', () => {
    const run = new Run(orders[4] as OperationOrder);
    run.answer(run.open()[0] as never, 'done');
    run.answer(run.open()[0] as never, 'timed-out');
    expect(refs(run)).toEqual(['inspect/1', 'reserve/1', 'undo-reserve-1/1']);
    run.answer(run.open()[0] as never, 'done');
    expect(refs(run).at(-1)).toBe('reserve/2');
    const ids = run.events.flatMap((e) =>
      e.type === StepAsked.type && e.data.ref.step === 'reserve'
        ? [e.data.input['reservationId']]
        : [],
    );
    expect(new Set(ids).size).toBe(2);
  });

  test('whose undo fails again and again waits for staff', () => {
    const run = new Run(orders[4] as OperationOrder);
    run.answer(run.open()[0] as never, 'done');
    run.answer(run.open()[0] as never, 'done');
    run.answer(run.open()[0] as never, 'refused');
    for (let i = 0; i < 3; i++) run.answer(run.open()[0] as never, 'failed');
    expect(run.state.phase).toBe('needs-attention');
  });

  test('whose settling step keeps failing waits for staff and undoes nothing', () => {
    const run = new Run(orders[3] as OperationOrder);
    run.answer(run.open()[0] as never, 'done');
    for (let i = 0; i < 5; i++)
      run.answer(run.open().find((a) => a.ref.step === 'unplace') as never, 'timed-out');
    expect(run.state.phase).toBe('needs-attention');
    expect(refs(run).filter((name) => isUndo(name))).toEqual([]);
  });

  test('can be cancelled until its pivot is done, then not', () => {
    const early = new Run(orders[0] as OperationOrder);
    for (const asked of early.open()) early.answer(asked, 'done');
    expect(early.cancel().kind).toBe('accepted');
    early.finish();
    expect(early.state.phase).toBe('cancelled');

    const late = new Run(orders[3] as OperationOrder);
    late.answer(late.open()[0] as never, 'done');
    expect(late.cancel()).toMatchObject({
      kind: 'refused',
      refusal: { code: 'OPERATION_CANNOT_BE_CANCELLED' },
    });
    late.finish();
    expect(late.cancel()).toMatchObject({ kind: 'refused', refusal: { code: 'OPERATION_ENDED' } });
  });

  test('takes no second answer to an ask', () => {
    const run = new Run(orders[0] as OperationOrder);
    const asked = run.open()[0] as { ref: AskRef; ask: AskName };
    run.answer(asked, 'done');
    const count = run.events.length;
    run.answer(asked, 'refused');
    expect(run.events).toHaveLength(count);
  });
});

test('whatever the contexts answer and whenever it is cancelled, an operation ends, with nothing left to undo', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...orders),
      fc.array(
        fc.record({
          which: fc.nat(5),
          outcome: fc.constantFrom<Outcome>(
            'done',
            'done',
            'done',
            'refused',
            'failed',
            'timed-out',
          ),
          cancel: fc.boolean(),
        }),
        { maxLength: 40 },
      ),
      (order, moves) => {
        const run = new Run(order);
        for (const move of moves) {
          const open = run.open();
          if (open.length === 0) break;
          if (move.cancel && move.which === 0) run.cancel();
          const asked = run.open()[move.which % Math.max(1, run.open().length)];
          if (asked !== undefined) run.answer(asked, move.outcome);
        }
        run.finish();
        expect(over).toContain(run.state.phase);

        // Each ask has at most one answer on record.
        const answered = run.events.flatMap((e) =>
          e.type === StepEnded.type ? [`${e.data.ref.step}/${e.data.ref.attempt}`] : [],
        );
        expect(new Set(answered).size).toBe(answered.length);

        if (run.state.phase === 'failed' || run.state.phase === 'cancelled') {
          const { operationId, results: done, target, startedAt } = run.state;
          if (target === undefined) throw new Error('an operation has a target');
          for (const step of planOf({
            operationId,
            tenantId,
            order,
            target,
            startedAt,
            results: done,
          }).steps) {
            if (step.undo === undefined) continue;
            for (const asking of run.state.askings.filter(
              (a) => a.step === step.name && a.status !== 'refused',
            )) {
              const undo = run.state.askings.findLast(
                (a) => a.step === `undo-${step.name}-${asking.attempt}`,
              );
              expect(undo?.status).toBe('done');
            }
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('every ask that a plan makes fits the ask it names', () => {
  for (const order of orders) {
    const run = new Run(order);
    run.finish();
    for (const event of run.events) {
      if (event.type !== StepAsked.type) continue;
      expect(asks[event.data.ask].input.safeParse(event.data.input)).toMatchObject({
        success: true,
      });
    }
  }
});

describe('who orders what', () => {
  test.each(orders.map((order) => [order.kind, order] as const))(
    '%s by a customer: holds and invoices are for the staff, all else is theirs',
    (kind, order) => {
      const context = new Run(order).context();
      const decision = start(initial(), { order, tenantId, byStaff: false }, context);
      const forStaff = ['suspend', 'resume', 'close-month', 'run-month'].includes(kind);
      expect(decision).toMatchObject(
        forStaff ? { refusal: { code: 'NOT_ALLOWED' } } : { kind: 'accepted' },
      );
    },
  );
});
