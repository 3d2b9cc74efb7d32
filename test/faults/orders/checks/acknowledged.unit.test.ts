/** Answers against the log: the check finds what was acknowledged and is lost, doubled or different. */
import { expect, test } from '@jest/globals';
import { OperationStarted, OperationSucceeded } from '@bivouac/events/provisioning';
import { deriveId, uuidOf } from '@bivouac/events/values';
import { CheckpointRecorded } from '@bivouac/infra/runtime';

import type { Sending, Wish } from '../load.ts';
import type { Answer } from '../messages.ts';
import {
  emptyWorld,
  NOW,
  type Order,
  SampleHistory,
  tenantId,
} from '@bivouac/all/checks/sample-history';
import { historyViolations } from '@bivouac/all/checks/history';
import { acknowledgementViolations } from './acknowledged.ts';
import { modelViolations, parkedViolations } from '@bivouac/all/checks/models';

const caller = { id: 'owner', tenantId, homeId: tenantId, staff: false };

function wish(name: string): Wish {
  const order = { kind: 'provision', hostname: `${name}.example.com` };
  return {
    key: name,
    caller,
    request: { type: 'order', tenantId, homeId: tenantId, order },
  };
}

function accepted({ operationId, started }: Order, repeated = false): Answer {
  const { stream, revision, position } = started;
  const result = { operationId };
  return { ok: true, stream, revision: revision.toString(), position, repeated, result };
}

function sent(of: Wish, answer?: Answer, altered = false): Sending {
  return { wish: of, altered, ...(answer === undefined ? {} : { answer }) };
}

const refused: Answer = { ok: false, code: 'NOT_ALLOWED', retryable: false };

test('an answer that the log bears out is right, and so are its repeats and lost replies', () => {
  const history = emptyWorld();
  const one = history.order('one');
  const of = wish('one');
  const sendings = [sent(of), sent(of, accepted(one)), sent(of, accepted(one, true)), sent(of)];
  expect(acknowledgementViolations(history.events, sendings)).toEqual([]);
});

test('what was acknowledged and is not in the log is found', () => {
  const history = emptyWorld();
  const one = history.order('one');
  const lost = new SampleHistory();
  const found = acknowledgementViolations(lost.events, [sent(wish('one'), accepted(one))]);
  expect(found).toHaveLength(2);
  expect(found).toContainEqual(expect.stringContaining(`${one.operationId} was acknowledged`));
});

test('a key that was done twice, or answers two things, is found', () => {
  const history = emptyWorld();
  const [one, two] = [history.order('one'), history.order('two')];
  const of = wish('one');
  const found = acknowledgementViolations(history.events, [
    sent(of, accepted(one)),
    sent(of, accepted(two)),
  ]);
  expect(found).toContainEqual(expect.stringContaining('it was done 2 times'));
  expect(found).toContainEqual(expect.stringContaining('its result is answered differently'));
});

test('one order that started two operations is found without any answer', () => {
  const history = emptyWorld();
  const { started } = history.order('one');
  const { order } = OperationStarted.schema.parse(started.data);
  history.add(OperationStarted, { order, operationId: deriveId('operation', 'double') });
  expect(acknowledgementViolations(history.events, [])).toEqual([
    expect.stringContaining('are one order, one.example.com'),
  ]);
});

test('a refusal that has left a trace is found; one whose repeat is unknown may have', () => {
  const history = emptyWorld();
  history.order('one');
  const of = wish('one');
  expect(acknowledgementViolations(history.events, [sent(of, refused)])).toEqual([
    expect.stringContaining('it was refused, and an operation was started'),
  ]);
  expect(acknowledgementViolations(history.events, [sent(of, refused), sent(of)])).toEqual([]);
});

test('a key accepted with other input is found, and one that nobody ever answered', () => {
  const history = emptyWorld();
  const one = history.order('one');
  const of = wish('one');
  const misused = [sent(of, accepted(one)), sent(of, accepted(one, true), true)];
  expect(acknowledgementViolations(history.events, misused)).toEqual([
    expect.stringContaining('accepted with other input'),
  ]);
  expect(acknowledgementViolations(history.events, [sent(wish('never'))])).toEqual([
    expect.stringContaining('never answered'),
  ]);
});

test('an order that is answered as, or with, somebody else’s is found', () => {
  const history = emptyWorld();
  const one = history.order('one');
  const of = wish('one');
  const foreign = { ...of, request: { ...of.request, tenantId: deriveId('tenant', 'another') } };
  expect(acknowledgementViolations(history.events, [sent(foreign, accepted(one))])).toEqual([
    expect.stringContaining(`which is of ${tenantId}`),
  ]);
  const taken: Answer = { ok: false, code: 'IDEMPOTENCY_CONFLICT', retryable: false };
  expect(acknowledgementViolations(emptyWorld().events, [sent(of, taken)])).toEqual([
    expect.stringContaining("refused as another's"),
  ]);
});

test('a command whose events do not stand together is found', () => {
  const history = emptyWorld();
  const one = history.order('one');
  const { operationId, started } = one;
  history.add(OperationSucceeded, { operationId }, { commandkey: started.commandkey });
  expect(
    acknowledgementViolations(history.events, [sent(wish('one'), accepted(one))]),
  ).toContainEqual(expect.stringContaining('do not stand together'));
});

test('a log with a hole, a double or time running back is found', () => {
  const history = emptyWorld();
  const one = history.order('one');
  expect(historyViolations(history.events)).toEqual([]);
  expect(historyViolations(history.events.slice(1)).length).toBeGreaterThan(0);
  expect(historyViolations([...history.events, one.started]).length).toBeGreaterThan(0);
  const { stream } = one.started;
  history.add(OperationSucceeded, {}, { stream, time: '2026-04-10T08:59:59.999Z' });
  expect(historyViolations(history.events)).toEqual([
    expect.stringContaining('recorded before the event it follows'),
  ]);
});

test('a read model that a rebuild would change is found, row by row', () => {
  const live = new Map([
    ['quotas/a', '1'],
    ['quotas/b', '2'],
  ]);
  const rebuilt = new Map([
    ['quotas/a', '1'],
    ['quotas/b', '3'],
    ['quotas/c', '4'],
  ]);
  expect(modelViolations('quotas', live, live)).toEqual([]);
  expect(modelViolations('quotas', live, rebuilt)).toEqual([
    "quotas's quotas/b is 2, rebuilt 3",
    "quotas's quotas/c is missing, rebuilt 4",
  ]);
});

test('a home that is parked in the last checkpoint is found; one that was replayed is not', () => {
  const history = emptyWorld();
  const stream = 'checkpoint-billing';
  const parked = {
    ...{ homeId: tenantId, from: '7', eventId: uuidOf('poison'), since: NOW },
    ...{ type: 'containers.ContainerRunning', reaction: 'billing.keep-accounts' },
    reason: 'handler-failed' as const,
  };
  history.add(CheckpointRecorded, { parked: [parked] }, { stream });
  expect(parkedViolations(history.events)).toEqual([
    expect.stringContaining('is parked by billing'),
  ]);
  history.add(CheckpointRecorded, { parked: [] }, { stream });
  expect(parkedViolations(history.events)).toEqual([]);
});
