/** Operations through the gateway: filters, children, progress, what staff do and see. */
import { deriveId } from '@bivouac/events/values';
import {
  OperationById,
  Operations,
  ReleaseOperation,
  ResolveOperation,
  RetryOperation,
  StartOperation,
} from '@bivouac/provisioning/api';
import { describe, expect, test } from '@jest/globals';

import { codesOf, setUp } from '../../test/asking.ts';
import { pageOf, refused } from '../../test/services-in-memory.ts';

describe('a list of operations', () => {
  test('is asked for by every filter at once', async () => {
    const { ask, services, operations } = setUp();
    services.onQuery(Operations, ({ page }) => pageOf(operations.slice(0, 2), page));
    const accountId = operations[0]?.tenantId ?? '';
    const targetId = operations[0]?.target.id ?? '';
    const reply = await ask(
      `query Q($accountId: ID!, $targetId: ID!) {
        operations(accountId: $accountId, targetId: $targetId, status: NEEDS_ATTENTION,
          kind: RUN_MONTH, first: 1) { edges { node { id } } pageInfo { hasNextPage } } }`,
      { variables: { accountId, targetId } },
    );
    expect(codesOf(reply)).toEqual([]);
    expect(services.of(Operations)[0]?.input).toMatchObject({
      ...{ tenantId: accountId, targetId, status: 'needs-attention', kind: 'run-month' },
      page: { limit: 1 },
    });
    expect(reply.data).toMatchObject({
      operations: { edges: [{ node: { id: operations[0]?.id } }], pageInfo: { hasNextPage: true } },
    });
  });

  test('of an unknown status is refused as the document’s fault', async () => {
    const { ask } = setUp();
    const reply = await ask('{ operations(status: STUCK) { edges { node { id } } } }');
    expect(codesOf(reply)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });
});

const detail = `query Q($id: ID!) { operation(id: $id) {
  status progress currentStep viewerCanCancel viewerCanRepair attentionSince parentId
  steps { name context deadline }
  interventions { act reason } leftovers { step ask input }
  childCounts { total started underWay waiting succeeded failed failures { subjectId code } }
  children(status: FAILED, first: 5) { edges { node { id parentId } } }
} }`;

describe('an operation', () => {
  test('over many says how far its children have come, and which failed', async () => {
    const { ask, services, operations } = setUp();
    const [parent, child] = operations;
    if (parent === undefined || child === undefined) throw new Error('there are operations');
    const subject = child.tenantId;
    services.onQuery(OperationById, () => ({
      ...parent,
      children: {
        ...{ total: 9, started: 6, waiting: 1, succeeded: 2, failed: 1 },
        failures: [{ childId: child.id, subject, code: 'CURRENCIES_DIFFER' }],
      },
    }));
    services.onQuery(Operations, ({ page }) =>
      pageOf([{ ...child, parentId: parent.id, status: 'failed' as const }], page),
    );
    const reply = await ask(detail, { variables: { id: parent.id } });
    expect(codesOf(reply)).toEqual([]);
    expect(services.of(Operations)[0]?.input).toMatchObject({
      ...{ parentId: parent.id, status: 'failed', page: { limit: 5 } },
    });
    expect(reply.data).toMatchObject({
      operation: {
        childCounts: { total: 9, underWay: 2, failures: [{ code: 'CURRENCIES_DIFFER' }] },
        children: { edges: [{ node: { id: child.id, parentId: parent.id } }] },
      },
    });
  });

  test('tells what it waits for, who has to answer, and whether the viewer can stop it', async () => {
    const { ask, services, operations } = setUp();
    const [operation] = operations;
    const [step] = operation?.steps ?? [];
    if (operation === undefined || step === undefined) throw new Error('there is an operation');
    services.onQuery(Operations, ({ page }) => pageOf([], page));
    const asked = { ...step, name: 'build', ask: 'containers.build', status: 'asked' } as const;
    services.onQuery(OperationById, () => ({ ...operation, steps: [step, asked] }));
    const reply = await ask(detail, { variables: { id: operation.id } });
    expect(reply.data).toMatchObject({
      operation: {
        ...{ currentStep: 'build', viewerCanCancel: true, viewerCanRepair: false },
        steps: [{ context: 'quotas' }, { context: 'containers', deadline: asked.deadline }],
      },
    });
  });

  test.each([
    ['power', true],
    ['resize', true],
    ['suspend', false],
    ['close-month', false],
    ['run-month', true],
  ] as const)(
    'that is a %s is cancelled by the staff, and by an owner as they may order the like',
    async (kind, owner) => {
      const { ask, services, operations } = setUp();
      const [operation] = operations;
      if (operation === undefined) throw new Error('there is an operation');
      const target = /month/.test(kind)
        ? ({ type: 'account', id: operation.tenantId } as const)
        : operation.target;
      services.onQuery(OperationById, () => ({ ...operation, kind, target }));
      for (const [as, may] of [
        ['Alpha', owner],
        ['Provider', true],
      ] as const) {
        const reply = await ask('query Q($id: ID!) { operation(id: $id) { viewerCanCancel } }', {
          as,
          variables: { id: operation.id },
        });
        expect([as, reply.data]).toEqual([as, { operation: { viewerCanCancel: may } }]);
      }
    },
  );
});

describe.each([
  ['retryOperation', RetryOperation],
  ['resolveOperation', ResolveOperation],
  ['releaseOperation', ReleaseOperation],
] as const)('%s', (name, contract) => {
  const operationId = deriveId('operation', 'a0.example.com');
  const document = `mutation M($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) {
    ${name}(input: $input, idempotencyKey: "k") {
      __typename ... on OperationAccepted { operationId } ... on UserError { code path } } }`;

  test('hands operation and reason to the service', async () => {
    const { ask, services } = setUp();
    services.onCommand(contract, (input) => ({ operationId: input.operationId }));
    const input = { operationId, reason: 'the node is back' };
    const reply = await ask(document, { as: 'Provider', variables: { input } });
    expect(reply.data).toMatchObject({ [name]: { __typename: 'OperationAccepted', operationId } });
    expect(services.of(contract)[0]?.input).toEqual(input);
  });

  test('is for the staff', async () => {
    const { ask, services } = setUp();
    services.onCommand(contract, (input) => ({ operationId: input.operationId }));
    const input = { operationId, reason: 'the node is back' };
    const reply = await ask(document, { variables: { input } });
    expect(reply.data).toMatchObject({ [name]: { __typename: 'NotAllowed' } });
  });

  test('needs a reason, and says so at the field', async () => {
    const { ask, services } = setUp();
    services.onCommand(contract, (input) => ({ operationId: input.operationId }));
    const reply = await ask(document, {
      as: 'Provider',
      variables: { input: { operationId, reason: '  ' } },
    });
    expect(reply.data).toMatchObject({
      [name]: { __typename: 'ValidationFailed', path: ['input', 'reason'] },
    });
  });

  test('of what needs no attention is a conflict of states', async () => {
    const { ask, services } = setUp();
    services.onCommand(contract, () => refused('OPERATION_NEEDS_NO_ATTENTION'));
    const reply = await ask(document, {
      as: 'Provider',
      variables: { input: { operationId, reason: 'x' } },
    });
    expect(reply.data).toMatchObject({ [name]: { __typename: 'StateConflict' } });
  });
});

test('cancelContainer gives notice for the end of the period unless told otherwise', async () => {
  const { ask, services, containers } = setUp();
  const containerId = containers[0]?.id ?? '';
  services.onCommand(StartOperation, () => ({
    operationId: deriveId('operation', 'cancel'),
    target: { type: 'container' as const, id: containerId },
  }));
  for (const at of [undefined, 'NOW']) {
    await ask(
      `mutation M($input: CancelContainerInput!) {
        cancelContainer(input: $input, idempotencyKey: "k") { __typename } }`,
      { variables: { input: { containerId, reason: 'moving', at } } },
    );
  }
  const order = { kind: 'cancel', containerId, reason: 'moving' };
  expect(services.of(StartOperation).map(({ input }) => input)).toMatchObject([
    { order },
    { order: { ...order, at: 'now' } },
  ]);
});

describe('runMonth', () => {
  const document = `mutation M($input: RunMonthInput!) {
    runMonth(input: $input, idempotencyKey: "k") {
      __typename ... on OperationAccepted { operationId } ... on UserError { code path } } }`;

  test('starts one operation over the issuer’s accounts', async () => {
    const { ask, services, operations } = setUp();
    const operationId = deriveId('operation', 'run');
    const issuerId = operations[0]?.tenantId ?? '';
    services.onCommand(StartOperation, () => ({
      operationId,
      target: { type: 'account' as const, id: issuerId },
    }));
    const reply = await ask(document, {
      as: 'Provider',
      variables: { input: { issuerId, month: '2026-04' } },
    });
    expect(reply.data).toMatchObject({ runMonth: { __typename: 'OperationAccepted' } });
    expect(services.of(StartOperation)[0]?.input).toMatchObject({
      order: { kind: 'run-month', issuerId, month: '2026-04' },
      tenantId: issuerId,
    });
  });

  test('names the field of an account that is not there', async () => {
    const { ask } = setUp();
    const issuerId = deriveId('tenant', 'nobody');
    const reply = await ask(document, {
      as: 'Provider',
      variables: { input: { issuerId, month: '2026-04' } },
    });
    expect(reply.data).toMatchObject({
      runMonth: { __typename: 'NotFound', path: ['input', 'issuerId'] },
    });
  });
});
