import { describe, expect, test } from '@jest/globals';
import { RightSchema } from '@bivouac/events/language';
import { asks, StepAsked } from '@bivouac/events/operations';
import { type OperationOrder, rightOfOrder } from '@bivouac/events/provisioning';
import { deriveId } from '@bivouac/events/values';

import { initial, isUndo, type Orderer, start } from './index.ts';
import { address, by, orderOf, orders, results, Run, tenantId } from './sample-run.ts';

describe('an operation', () => {
  test.each(orders)('whose every step is done succeeds ($kind)', (order) => {
    const run = new Run(order);
    run.finish();
    expect(run.state.phase).toBe('succeeded');
  });

  test.each(orders)('is cancelled by who may order it and nobody else ($kind)', (order) => {
    const right = rightOfOrder(order);
    const ofStaff = order.kind === 'suspend' || order.kind === 'resume';
    const above: Orderer = { staff: false, reaches: () => true, tenantId: deriveId('tenant', 'r') };
    const self: Orderer = { staff: false, reaches: (id) => id === tenantId, tenantId };
    const others = RightSchema.options.filter((one) => one !== right);
    const who = [
      [by, [right], true],
      [by, others, false],
      [above, [right], !ofStaff],
      [above, others, false],
      [self, [right], !ofStaff && order.kind !== 'close-month'],
      [self, others, false],
    ] as const;
    for (const [orderer, rights, may] of who) {
      const run = new Run(order);
      // Put off, nothing of it was done.
      run.answerNext('busy');
      expect(run.state.phase).toBe('running');
      const decision = run.cancel({ by: orderer, held: new Set(rights) });
      if (may) expect(decision.kind).toBe('accepted');
      else expect(decision).toMatchObject({ kind: 'refused', refusal: { code: 'NOT_ALLOWED' } });
      expect(run.state.phase === 'running').toBe(!may);
    }
  });

  test('asks for nothing before what it needs is done', () => {
    const run = new Run(orderOf('provision'));
    expect(run.refs()).toEqual(['admit/1', 'quote/1']);
    for (const asked of run.open()) run.answer(asked, 'done');
    expect(run.refs().slice(2)).toEqual(['reserve/1']);
  });

  test('that is refused undoes what was done, last first, and fails with the reason', () => {
    const run = new Run(orderOf('provision'));
    for (const name of ['admit', 'quote', 'reserve', 'prepare']) {
      run.answer(run.asked(name), 'done');
    }
    run.answerNext('refused');
    expect(run.state.phase).toBe('undoing');
    run.finish();
    expect(run.refs().slice(-2)).toEqual(['undo-prepare-1/1', 'undo-reserve-1/1']);
    expect(run.state.phase).toBe('failed');
    expect(run.state.refusal?.code).toBe('NODE_FAILED');
  });

  test('tries a step again only after the earlier attempt is undone, with ids of its own', () => {
    const run = new Run(orderOf('add-address'));
    run.answerNext('done');
    run.answerNext('timed-out');
    expect(run.refs()).toEqual(['inspect/1', 'reserve/1', 'undo-reserve-1/1']);
    run.answerNext('done');
    expect(run.refs().at(-1)).toBe('reserve/2');
    const ids = run.events.flatMap((e) =>
      e.type === StepAsked.type && e.data.ref.step === 'reserve'
        ? [e.data.input['reservationId']]
        : [],
    );
    expect(new Set(ids).size).toBe(2);
  });

  test('whose undo fails again and again waits for staff', () => {
    const run = new Run(orderOf('add-address'));
    run.answerNext('done');
    run.answerNext('done');
    run.answerNext('refused');
    for (let i = 0; i < 3; i++) run.answerNext('failed');
    expect(run.state.phase).toBe('needs-attention');
  });

  test('whose settling step keeps failing waits for staff and undoes nothing', () => {
    const run = new Run(orderOf('terminate'));
    run.answerNext('done');
    for (let i = 0; i < 5; i++) run.answer(run.asked('unplace'), 'timed-out');
    expect(run.state.phase).toBe('needs-attention');
    expect(run.refs().filter((name) => isUndo(name))).toEqual([]);
  });

  test('that undoes a container gives back what others had added to it, and its own once', () => {
    const reservations = ['resized', 'more addresses'].map((name) => deriveId('reservation', name));
    const leaseId = deriveId('lease', 'more');
    const more = {
      rangeId: deriveId('range', 'r'),
      address: '192.0.2.11',
      family: 'ipv4' as const,
    };
    const held = { reservationIds: reservations, addresses: [{ leaseId, ...more }] };
    const run = new Run(orderOf('provision'), {
      'containers.destroy': { ...results['containers.destroy'], ...held },
    });
    for (const name of ['admit', 'quote', 'reserve', 'prepare'])
      run.answer(run.asked(name), 'done');
    run.answer(run.asked('build'), 'timed-out');
    const before = run.refs().length;
    run.finish();
    expect(run.state.phase).toBe('failed');
    expect(run.refs().slice(before - 1)).toEqual([
      ...['undo-build-1/1', 'undo-build-unlease-ipv4/1'],
      ...['undo-build-release-1/1', 'undo-build-release-2/1'],
      ...['undo-prepare-1/1', 'undo-reserve-1/1'],
    ]);
    const released = run.events.flatMap((event) =>
      event.type === StepAsked.type && event.data.ask === 'quotas.release'
        ? [event.data.input['reservationId']]
        : [],
    );
    expect(new Set(released).size).toBe(3);
    expect(released).toEqual(expect.arrayContaining(reservations));
  });

  test('that undoes a container with nothing but its own asks for no more than its undo', () => {
    const run = new Run(orderOf('provision'));
    for (const name of ['admit', 'quote', 'reserve', 'prepare'])
      run.answer(run.asked(name), 'done');
    const { operationId } = run.state;
    const own = {
      reservationIds: [deriveId('reservation', operationId, 'reserve', '1')],
      addresses: [{ ...address, leaseId: deriveId('lease', operationId, '1', '0') }],
    };
    run.give('containers.destroy', own);
    run.answer(run.asked('build'), 'failed');
    run.finish();
    expect(run.refs().slice(-3)).toEqual([
      'undo-build-1/1',
      'undo-prepare-1/1',
      'undo-reserve-1/1',
    ]);
  });

  test('can be cancelled until its pivot is done, then not', () => {
    const early = new Run(orderOf('provision'));
    for (const asked of early.open()) early.answer(asked, 'done');
    expect(early.cancel().kind).toBe('accepted');
    early.finish();
    expect(early.state.phase).toBe('cancelled');

    const late = new Run(orderOf('terminate'));
    late.answerNext('done');
    expect(late.cancel()).toMatchObject({
      kind: 'refused',
      refusal: { code: 'OPERATION_CANNOT_BE_CANCELLED' },
    });
    late.finish();
    expect(late.cancel()).toMatchObject({ kind: 'refused', refusal: { code: 'OPERATION_ENDED' } });
  });

  test('takes no second answer to an ask', () => {
    const run = new Run(orderOf('provision'));
    const asked = run.asked('admit');
    run.answer(asked, 'done');
    const count = run.events.length;
    run.answer(asked, 'refused');
    expect(run.events).toHaveLength(count);
  });
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
  const others = deriveId('tenant', 'issuer');
  const starts = (order: OperationOrder, by: Orderer) =>
    start(initial(), { order, tenantId, by }, new Run(order).context());
  const refused = { refusal: { code: 'NOT_ALLOWED' } };
  const accepted = { kind: 'accepted' };

  test.each(orders.map((order) => [order.kind, order] as const))(
    '%s by a customer: holds are for the staff, its invoices for its issuer, all else is theirs',
    (kind, order) => {
      const own: Orderer = { staff: false, tenantId, reaches: (id) => id === tenantId };
      const forOthers = ['suspend', 'resume', 'close-month'].includes(kind);
      expect(starts(order, own)).toMatchObject(forOthers ? refused : accepted);
    },
  );

  test('months are for whoever reaches the issuer: of accounts below, and of a run of its own', () => {
    const reach = new Set([others, tenantId]);
    const issuer: Orderer = { staff: false, tenantId: others, reaches: (id) => reach.has(id) };
    expect(starts(orderOf('close-month'), issuer)).toMatchObject(accepted);
    expect(starts(orderOf('run-month'), issuer)).toMatchObject(accepted);
    const stranger: Orderer = { ...issuer, reaches: (id) => id === others };
    for (const kind of ['close-month', 'run-month'] as const) {
      expect(starts(orderOf(kind), stranger)).toMatchObject(refused);
    }
    expect(starts(orderOf('suspend'), issuer)).toMatchObject(refused);
  });
});
