/** Changing: idempotency keys, unions, errors with the input's own paths. */
import { AccountById, CreateApiKey, CreateCustomer, PlaceTenantHold } from '@bivouac/accounts/api';
import { DefinePlan } from '@bivouac/billing/api';
import { ContainerById, RenameContainer, TestImage } from '@bivouac/containers/api';
import { deriveId } from '@bivouac/events/values';
import { CancelOperation, OperationById, StartOperation } from '@bivouac/provisioning/api';
import { describe, expect, test } from '@jest/globals';

import { codesOf, setUp } from '../test/asking.ts';
import { refused } from '../test/services-in-memory.ts';

const rename = `mutation M($input: RenameContainerInput!, $key: String!) {
  renameContainer(input: $input, idempotencyKey: $key) {
    __typename
    ... on ContainerRenamed { containerId position repeated container { hostname } }
    ... on UserError { code message path retryable }
    ... on ValidationFailed { problems { path message } }
    ... on RefusedError { reason }
  }
}`;
const provision = `mutation M($input: ProvisionContainerInput!, $key: String!) {
  provisionContainer(input: $input, idempotencyKey: $key) {
    __typename
    ... on OperationAccepted { operationId position operation { id status targetId } }
    ... on UserError { code message path }
  }
}`;

const renaming = () => {
  const setup = setUp();
  const id = deriveId('container', 'a0.example.com');
  setup.services.onCommand(RenameContainer, ({ containerId }) => ({ containerId }));
  const send = (input: object = { containerId: id, hostname: 'new.example.com' }, key = 'k') =>
    setup.ask(rename, { variables: { input, key } });
  return { ...setup, id, send };
};

describe('a mutation', () => {
  test('hands key, principal and correlation to the service, and reads after its own write', async () => {
    const { send, services, id, ask } = renaming();
    const reply = await send();
    expect(reply.data).toMatchObject({
      renameContainer: {
        __typename: 'ContainerRenamed',
        containerId: id,
        repeated: false,
        container: { hostname: 'a0.example.com' },
      },
    });
    const position = (reply.data?.['renameContainer'] as { position: string }).position;
    expect(services.of(ContainerById)[0]?.atLeast).toBe(position);
    await ask(rename, {
      variables: { input: { containerId: id, hostname: 'b.example.com' }, key: 'k2' },
      headers: { 'x-request-id': 'r-7' },
    });
    expect(services.of(RenameContainer)[1]).toMatchObject({
      idempotencyKey: 'k2',
      correlationId: 'r-7',
      principal: { kind: 'key', id: deriveId('apiKey', 'Alpha') },
    });
  });

  test('that was done stays done where what it changed cannot be read yet', async () => {
    const { send, services } = renaming();
    services.onQuery(ContainerById, () => refused('NOT_YET', 'Not yet.'));
    const reply = await send();
    expect(reply.data).toMatchObject({
      renameContainer: { __typename: 'ContainerRenamed', container: null },
    });
    expect(codesOf(reply)).toEqual(['NOT_YET']);
  });

  test.each(['', '   ', 'x'.repeat(201)])(
    'with the idempotencyKey %j is refused and not sent',
    async (key) => {
      const { send, services } = renaming();
      const reply = await send(undefined, key);
      expect(reply.data).toMatchObject({
        renameContainer: { __typename: 'ValidationFailed', path: ['idempotencyKey'] },
      });
      expect(services.of(RenameContainer)).toEqual([]);
    },
  );

  test('with a bad input names every field as the input has it', async () => {
    const { send } = renaming();
    const reply = await send({ containerId: 'x', hostname: 'NOT OK' });
    expect(reply.errors).toEqual([]);
    expect(reply.data).toMatchObject({
      renameContainer: {
        __typename: 'ValidationFailed',
        code: 'INVALID_INPUT',
        message: expect.stringMatching(/^The field input\.containerId is not accepted: .*again\.$/),
        path: ['input', 'containerId'],
        problems: [{ path: ['input', 'containerId'] }, { path: ['input', 'hostname'] }],
      },
    });
  });

  test.each([
    ['CONTAINER_UNKNOWN', 'NotFound'],
    ['CONTAINER_GONE', 'StateConflict'],
    ['IDEMPOTENCY_CONFLICT', 'IdempotencyConflict'],
    ['CONTENTION', 'Contention'],
    ['UNAVAILABLE', 'Unavailable'],
    ['NOT_ALLOWED', 'NotAllowed'],
    ['QUOTA_EXCEEDED', 'QuotaExceeded'],
    ['POOL_FULL', 'OutOfCapacity'],
    ['HOSTNAME_TOO_LONG', 'ValidationFailed'],
  ])('refused with %s answers %s with that code', async (code, type) => {
    const { send, services } = renaming();
    services.onCommand(RenameContainer, () => refused(code, 'Because.', { path: ['hostname'] }));
    const reply = await send();
    expect(reply.errors).toEqual([]);
    expect(reply.data).toMatchObject({
      renameContainer: {
        __typename: type,
        code,
        message: 'Because.',
        path: ['input', 'hostname'],
      },
    });
  });

  test('refused with a code nobody here knows keeps that code as the reason', async () => {
    const { send, services } = renaming();
    services.onCommand(RenameContainer, () => refused('FULL_MOON'));
    expect((await send()).data).toMatchObject({
      renameContainer: { __typename: 'RefusedError', code: 'OTHER', reason: 'FULL_MOON' },
    });
  });

  test.each([
    ['contention', 'Contention'],
    ['unavailable', 'Unavailable'],
    ['outcome-unknown', 'Unavailable'],
    ['shutting-down', 'Unavailable'],
  ])('whose service fails for %s may be sent again', async (code, type) => {
    const { send, services } = renaming();
    services.onCommand(RenameContainer, () => {
      throw Object.assign(new Error('store at 10.0.0.1'), { code });
    });
    const reply = await send();
    expect(reply.data).toMatchObject({ renameContainer: { __typename: type, retryable: true } });
    expect(JSON.stringify(reply)).not.toContain('10.0.0.1');
  });

  test('whose service has a defect is a masked error', async () => {
    const { send, services } = renaming();
    services.onCommand(RenameContainer, () => {
      throw new Error('a defect');
    });
    const reply = await send();
    expect(codesOf(reply)).toEqual(['INTERNAL']);
    expect(reply.data).toBeNull();
  });
});

describe('an order', () => {
  const ordering = () => {
    const setup = setUp();
    const [operation] = setup.operations;
    if (operation === undefined) throw new Error('no operation');
    setup.services.onCommand(StartOperation, () => ({
      operationId: operation.id,
      target: operation.target,
    }));
    const input = {
      accountId: setup.alpha.id,
      hostname: 'web1.example.com',
      plan: '1000',
      imageId: deriveId('image', 'skel'),
    };
    const send = (more: object = {}) =>
      setup.ask(provision, { variables: { input: { ...input, ...more }, key: 'order-1' } });
    return { ...setup, input, operation, send };
  };

  test('is accepted as an operation of the account, with its home', async () => {
    const { send, services, alpha, operation } = ordering();
    const required = { labels: ['ssd', 'rack=a12'], features: ['nesting'] };
    const reply = await send({ extraAddresses: 2, family: 'IPV6', ...required });
    expect(reply.data).toMatchObject({
      provisionContainer: {
        __typename: 'OperationAccepted',
        operationId: operation.id,
        operation: { id: operation.id, status: 'RUNNING', targetId: operation.target.id },
      },
    });
    expect(services.of(StartOperation)[0]).toMatchObject({
      idempotencyKey: 'order-1',
      input: {
        tenantId: alpha.id,
        homeId: alpha.homeId,
        order: {
          kind: 'provision',
          tenantId: alpha.id,
          planCode: '1000',
          extraAddresses: 2,
          family: 'ipv6',
          ...required,
        },
      },
    });
    expect(services.of(OperationById)[0]?.atLeast).toBeDefined();
  });

  test.each([
    ['unknown', deriveId('tenant', 'nobody'), 'NotFound'],
    ['foreign', deriveId('tenant', 'Beta'), 'NotFound'],
    ['malformed', 'ten_x', 'ValidationFailed'],
    ['of another kind', deriveId('image', 'skel'), 'ValidationFailed'],
  ])(
    'for an account that is %s is refused and nothing is started',
    async (_name, accountId, type) => {
      const { send, services } = ordering();
      const reply = await send({ accountId });
      expect(reply.data).toMatchObject({
        provisionContainer: { __typename: type, path: ['input', 'accountId'] },
      });
      expect(services.of(StartOperation)).toEqual([]);
    },
  );

  test.each([
    [{ hostname: 'x'.repeat(300) }, 'hostname'],
    [{ plan: '' }, 'plan'],
    [{ imageId: 'img_x' }, 'imageId'],
    [{ extraAddresses: -1 }, 'extraAddresses'],
    [{ extraAddresses: 2147483647 }, 'extraAddresses'],
    [{ labels: Array.from({ length: 21 }, (_, n) => `l${n}`) }, 'labels'],
    [{ features: Array.from({ length: 21 }, (_, n) => `f${n}`) }, 'features'],
  ])('with %j is refused at the field %s', async (more, field) => {
    const { send } = ordering();
    expect((await send(more)).data).toMatchObject({
      provisionContainer: {
        __typename: 'ValidationFailed',
        // Services call it order.hostname, tenantId or planCode; the sentence is not theirs.
        message: expect.stringContaining(`The field input.${field} is not accepted: `),
        path: ['input', field],
      },
    });
  });

  test.each([
    [
      'terminateContainer',
      'TerminateContainerInput',
      { reason: 'r' },
      { kind: 'terminate', reason: 'r' },
    ],
    ['addAddresses', 'AddAddressesInput', { count: 3 }, { kind: 'add-address', count: 3 }],
  ])(
    '%s is an operation of the container’s tenant, and refused of foreign ones',
    async (name, type, input, order) => {
      const { ask, services, containers, alpha } = ordering();
      const document = `mutation M($input: ${type}!) { it: ${name}(input: $input, idempotencyKey: "k") {
      __typename ... on UserError { path } } }`;
      const own = containers[0]?.id;
      const done = await ask(document, { variables: { input: { ...input, containerId: own } } });
      expect(done.data).toMatchObject({ it: { __typename: 'OperationAccepted' } });
      expect(services.of(StartOperation)[0]?.input).toEqual({
        tenantId: alpha.id,
        homeId: alpha.homeId,
        order: { ...order, containerId: own },
      });
      const foreign = containers.at(-1)?.id;
      const no = await ask(document, { variables: { input: { ...input, containerId: foreign } } });
      expect(no.data).toEqual({ it: { __typename: 'NotFound', path: ['input', 'containerId'] } });
      const bad = await ask(document, { variables: { input: { ...input, containerId: 'x' } } });
      expect(bad.data).toMatchObject({ it: { __typename: 'ValidationFailed' } });
      expect(services.of(StartOperation)).toHaveLength(1);
    },
  );

  test.each([
    [
      'suspendContainer',
      'SuspendContainerInput',
      { kind: 'ABUSE', reason: 'r' },
      { kind: 'suspend', hold: { kind: 'abuse', reason: 'r' } },
    ],
    [
      'resumeContainer',
      'ResumeContainerInput',
      { holdId: deriveId('hold', 'h') },
      { kind: 'resume', holdId: deriveId('hold', 'h') },
    ],
  ])('%s is for the staff', async (name, type, input, order) => {
    const { ask, services, containers, alpha, provider } = ordering();
    const document = `mutation M($input: ${type}!) { it: ${name}(input: $input, idempotencyKey: "k") { __typename } }`;
    const own = containers[0]?.id;
    const variables = { input: { ...input, containerId: own } };
    expect((await ask(document, { variables })).data).toEqual({ it: { __typename: 'NotAllowed' } });
    const done = await ask(document, { variables, as: provider.name });
    expect(done.data).toEqual({ it: { __typename: 'OperationAccepted' } });
    expect(services.of(StartOperation).at(-1)?.input).toEqual({
      tenantId: alpha.id,
      homeId: alpha.homeId,
      order: { ...order, containerId: own },
    });
  });

  test('closeMonth is an operation of the account', async () => {
    const { ask, services, alpha } = ordering();
    await ask(
      `mutation M($id: ID!) { closeMonth(input: { accountId: $id, month: "2026-04" }, idempotencyKey: "k") { __typename } }`,
      { variables: { id: alpha.id } },
    );
    expect(services.of(StartOperation)[0]?.input).toMatchObject({
      tenantId: alpha.id,
      order: { kind: 'close-month', accountId: alpha.id, month: '2026-04' },
    });
  });

  test('cancelOperation answers the operation as it is then', async () => {
    const { ask, services, operation } = ordering();
    services.onCommand(CancelOperation, ({ operationId }) => ({ operationId }));
    const reply = await ask(
      `mutation M($id: ID!) { cancelOperation(input: { operationId: $id }, idempotencyKey: "k") {
        ... on OperationAccepted { operation { id } } } }`,
      { variables: { id: operation.id } },
    );
    expect(reply.data).toEqual({ cancelOperation: { operation: { id: operation.id } } });
  });
});

describe('for the staff', () => {
  const create = `mutation { createCustomer(idempotencyKey: "k",
    input: { name: "Gamma", email: "a@example.com", contactName: "G" }) {
    __typename ... on CustomerCreated { account { name } } ... on UserError { code path } } }`;

  test('a customer is created; others are not allowed to', async () => {
    const { ask, services, alpha } = setUp();
    services.onCommand(CreateCustomer, () => ({ tenantId: alpha.id, homeId: alpha.id }));
    expect((await ask(create, { as: 'Provider' })).data).toMatchObject({
      createCustomer: { __typename: 'CustomerCreated', account: { name: 'Alpha' } },
    });
    expect(services.of(CreateCustomer)[0]?.input).toEqual({
      name: 'Gamma',
      contact: { email: 'a@example.com', name: 'G' },
    });
    expect((await ask(create)).data).toMatchObject({
      createCustomer: { __typename: 'NotAllowed', code: 'NOT_ALLOWED' },
    });
  });

  test('a bad e-mail address is told as the field it is in', async () => {
    const { ask, services, alpha } = setUp();
    services.onCommand(CreateCustomer, () => ({ tenantId: alpha.id, homeId: alpha.id }));
    const reply = await ask(create.replace('a@example.com', 'nobody'), { as: 'Provider' });
    expect(reply.data).toMatchObject({
      createCustomer: { __typename: 'ValidationFailed', path: ['input', 'email'] },
    });
  });

  test('a hold is placed on an account with its home', async () => {
    const { ask, services, alpha } = setUp();
    const holdId = deriveId('hold', 'h');
    services.onCommand(PlaceTenantHold, ({ tenantId }) => ({ tenantId, holdId }));
    const reply = await ask(
      `mutation M($id: ID!) { placeHold(idempotencyKey: "k",
        input: { accountId: $id, kind: BILLING, reason: "unpaid" }) { ... on HoldPlaced { holdId } } }`,
      { as: 'Provider', variables: { id: alpha.id } },
    );
    expect(reply.data).toEqual({ placeHold: { holdId } });
    expect(services.of(PlaceTenantHold)[0]?.input).toEqual({
      tenantId: alpha.id,
      homeId: alpha.homeId,
      kind: 'billing',
      reason: 'unpaid',
    });
  });

  test('an image is tested by the member of the key', async () => {
    const { ask, services } = setUp();
    const imageId = deriveId('image', 'skel');
    services.onCommand(TestImage, () => ({ imageId }));
    await ask(
      `mutation M($id: ID!) { testImage(idempotencyKey: "k",
        input: { imageId: $id, checks: [{ name: "boots", passed: true }] }) { __typename } }`,
      { as: 'Provider', variables: { id: imageId } },
    );
    expect(services.of(TestImage)[0]?.input).toMatchObject({
      technician: deriveId('member', 'Provider'),
    });
  });

  test('a plan with huge or negative amounts is refused at the field', async () => {
    const { ask, services } = setUp();
    services.onCommand(DefinePlan, () => ({ planId: deriveId('plan', 'x') }));
    const define = (memory: string, monthly: string) =>
      ask(
        `mutation M($memory: Bytes!, $monthly: String!) { definePlan(idempotencyKey: "k", input: {
          code: "x", name: "X", includedAddresses: 1,
          limits: { cpuMillis: 1000, memoryBytes: $memory, diskBytes: "1", processes: 1, cpuUnits: 1000 },
          monthly: { amount: $monthly, currency: "EUR" }, setup: { amount: "0.00", currency: "EUR" },
          extraAddressMonthly: { amount: "0.00", currency: "EUR" } }) {
          __typename ... on UserError { path } } }`,
        { as: 'Provider', variables: { memory, monthly } },
      );
    expect((await define('1', '-1.00')).data).toMatchObject({
      definePlan: { __typename: 'ValidationFailed', path: ['input', 'monthly'] },
    });
    expect(codesOf(await define('-1', '1.00'))).toEqual(['INVALID_ARGUMENT']);
    expect(codesOf(await define('9'.repeat(40), '1.00'))).toEqual(['INVALID_ARGUMENT']);
    expect((await define('1', '1.00')).data).toMatchObject({
      definePlan: { __typename: 'PlanDefined' },
    });
  });
});

test('a new API key is shown in the first answer, and null in a repeat', async () => {
  const { ask, services, alpha } = setUp();
  let key: string | null = 'bvk_secret';
  services.onCommand(CreateApiKey, () => ({ keyId: deriveId('apiKey', 'new'), key }));
  const create = () =>
    ask(
      `mutation M($id: ID!, $m: ID!) { createApiKey(idempotencyKey: "k",
        input: { accountId: $id, memberId: $m, label: "ci" }) { ... on ApiKeyCreated { keyId key } } }`,
      { variables: { id: alpha.id, m: deriveId('member', 'Alpha') } },
    );
  expect((await create()).data).toMatchObject({ createApiKey: { key: 'bvk_secret' } });
  key = null;
  expect((await create()).data).toMatchObject({ createApiKey: { key: null } });
});

test('one mutation after another reads what the one before wrote', async () => {
  const { ask, services, containers, alpha } = setUp();
  services.onCommand(RenameContainer, ({ containerId }) => ({ containerId }));
  await ask(
    `mutation M($id: ID!) {
      a: renameContainer(idempotencyKey: "a", input: { containerId: $id, hostname: "x.example" }) {
        ... on ContainerRenamed { container { account { name } } } }
      b: renameContainer(idempotencyKey: "b", input: { containerId: $id, hostname: "y.example" }) {
        ... on ContainerRenamed { container { account { name } } } } }`,
    { variables: { id: containers[0]?.id } },
  );
  const waits = services.of(AccountById).map((call) => call.atLeast);
  expect(waits).toHaveLength(2);
  expect(waits[0] !== undefined && waits[1] !== undefined && waits[0] < waits[1]).toBe(true);
  expect(services.of(AccountById)[0]?.input).toEqual({ tenantId: alpha.id });
});
