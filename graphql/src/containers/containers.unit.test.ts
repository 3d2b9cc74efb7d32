/** Containers, nodes, images and ranges through the gateway: what is ordered, filtered and seen. */
import {
  Containers,
  Differences,
  DrainNode,
  Images,
  LabelNode,
  NodeById,
  Nodes,
  RangeById,
  Ranges,
  Reconcile,
  StrayInstances,
  WithdrawImage,
} from '@bivouac/containers/api';
import { deriveId } from '@bivouac/events/values';
import { StartOperation } from '@bivouac/provisioning/api';
import { describe, expect, test } from '@jest/globals';

import { codesOf, setUp } from '../../test/asking.ts';
import { pageOf } from '../../test/services-in-memory.ts';

const containerId = deriveId('container', 'a0.example.com');
const nodeId = deriveId('node', 'n');
const operationId = deriveId('operation', 'o');
const lease = deriveId('lease', 'l');
const reason = 'why not';

/** Each mutation with its input beyond the container, and the order it makes. */
const orders: readonly (readonly [string, object, object])[] = [
  ...(['start', 'stop', 'restart', 'freeze', 'thaw'] as const).map(
    (action) => [`${action}Container`, {}, { kind: 'power', action }] as const,
  ),
  ['resizeContainer', { plan: '2000' }, { kind: 'resize', planCode: '2000' }],
  [
    'resizeContainer',
    { plan: '2000', at: 'PERIOD_END' },
    { kind: 'resize', planCode: '2000', at: 'period-end' },
  ],
  ['removeAddress', { leaseIds: [lease] }, { kind: 'remove-address', leaseIds: [lease] }],
  ['deleteContainer', { reason }, { kind: 'delete', reason }],
  ['deleteContainer', { reason, restoreDays: 30 }, { kind: 'delete', reason, restoreDays: 30 }],
  ['restoreContainer', {}, { kind: 'restore' }],
  ['purgeContainer', { reason }, { kind: 'terminate', reason }],
];

const documentOf = (name: string): string => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return `mutation M($input: ${type}!) { ${name}(input: $input, idempotencyKey: "k") {
    __typename ... on OperationAccepted { operationId } ... on UserError { code path } } }`;
};

describe('what is ordered for a container', () => {
  test.each(orders)('%s %j starts the operation %j', async (name, input, order) => {
    const { ask, services } = setUp();
    const target = { type: 'container' as const, id: containerId };
    services.onCommand(StartOperation, () => ({ operationId, target }));
    const reply = await ask(documentOf(name), { variables: { input: { containerId, ...input } } });
    expect(reply.data).toEqual({ [name]: { __typename: 'OperationAccepted', operationId } });
    expect(services.of(StartOperation)[0]?.input).toMatchObject({
      order: { containerId, ...order },
    });
  });

  test.each(orders)('%s %j for a container out of reach is not found', async (name, input) => {
    const { ask, services } = setUp();
    const foreign = { containerId: deriveId('container', 'nobody.example.com'), ...input };
    const reply = await ask(documentOf(name), { variables: { input: foreign } });
    expect(reply.data).toMatchObject({
      [name]: { __typename: 'NotFound', path: ['input', 'containerId'] },
    });
    expect(services.of(StartOperation)).toEqual([]);
  });
});

describe('lists', () => {
  test('of images and containers are asked for by their filters', async () => {
    const { ask, services } = setUp();
    services.onQuery(Images, ({ page }) => pageOf([], page));
    services.onQuery(Containers, ({ page }) => pageOf([], page));
    services.onQuery(Nodes, ({ page }) => pageOf([], page));
    services.onQuery(Ranges, ({ page }) => pageOf([], page));
    const reply = await ask(
      `query Q($nodeId: ID!) {
        images(status: DEPRECATED) { edges { node { id } } }
        containers(lifecycle: SOFT_DELETED, nodeId: $nodeId) { edges { node { id } } }
        nodes(label: "ssd", drained: true, location: "fra1") { edges { node { id } } }
        addressRanges(family: IPV6, location: "fra1") { edges { node { id } } }
      }`,
      { as: 'Provider', variables: { nodeId } },
    );
    expect(codesOf(reply)).toEqual([]);
    expect(services.of(Images)[0]?.input).toMatchObject({ status: 'deprecated' });
    expect(services.of(Containers)[0]?.input).toMatchObject({ lifecycle: 'soft-deleted', nodeId });
    const filters = { label: 'ssd', drained: true, location: 'fra1' };
    expect(services.of(Nodes)[0]?.input).toMatchObject(filters);
    expect(services.of(Ranges)[0]?.input).toMatchObject({ family: 'ipv6', location: 'fra1' });
  });

  test('of what differs and what strays say what, where, why and what would be done', async () => {
    const { ask, services } = setUp();
    const seen = { state: 'running' as const, seenAt: '2026-04-10T09:00:00.000Z' };
    services.onQuery(Differences, () => ({
      items: [
        {
          cursor: 'c1',
          node: {
            ...{ containerId, tenantId: deriveId('tenant', 'Alpha'), nodeId, since: seen.seenAt },
            ...{ wanted: 'running' as const, observed: 'stopped' as const },
            action: 'start' as const,
          },
        },
      ],
      hasNext: false,
      hasPrevious: false,
    }));
    services.onQuery(StrayInstances, () => ({
      items: [
        {
          cursor: 's1',
          node: {
            containerId,
            nodeId,
            generation: 2,
            destruction: null,
            why: 'old-generation' as const,
            ...seen,
          },
        },
      ],
      hasNext: false,
      hasPrevious: false,
    }));
    services.onQuery(NodeById, () => null);
    const reply = await ask(
      `query Q($nodeId: ID!) {
        containerDifferences(nodeId: $nodeId, first: 5) {
          edges { cursor node { wanted observed since action container { hostname } } } }
        strayInstances { edges { node { containerId generation state why node { id } } } }
      }`,
      { as: 'Provider', variables: { nodeId } },
    );
    expect(codesOf(reply)).toEqual([]);
    expect(services.of(Differences)[0]?.input).toMatchObject({ nodeId, page: { limit: 5 } });
    expect(reply.data).toMatchObject({
      containerDifferences: {
        edges: [{ node: { wanted: 'RUNNING', observed: 'STOPPED', action: 'START' } }],
      },
      strayInstances: { edges: [{ node: { containerId, why: 'OLD_GENERATION', node: null } }] },
    });
  });

  test('of one range is one range, or null', async () => {
    const { ask, services } = setUp();
    services.onQuery(RangeById, () => null);
    const rangeId = deriveId('range', 'r');
    const one = '{ addressRange(id: "%") { id cidr } }';
    const reply = await ask(one.replace('%', rangeId), { as: 'Provider' });
    expect(reply.data).toEqual({ addressRange: null });
    const wrong = await ask(one.replace('%', nodeId), { as: 'Provider' });
    expect(codesOf(wrong)).toEqual(['INVALID_ID']);
  });
});

describe('what staff do', () => {
  test('with nodes, images and differences is handed on', async () => {
    const { ask, services } = setUp();
    const imageId = deriveId('image', 'i');
    services.onCommand(LabelNode, () => ({ nodeId }));
    services.onCommand(DrainNode, () => ({ nodeId }));
    services.onCommand(Reconcile, ({ nodeId: where }) => ({ nodeId: where ?? null }));
    services.onCommand(WithdrawImage, () => ({ imageId }));
    const reply = await ask(
      `mutation M($nodeId: ID!, $imageId: ID!) {
        a: labelNode(input: { nodeId: $nodeId, labels: ["ssd"] }, idempotencyKey: "a") {
          ... on NodeLabelled { nodeId } }
        b: drainNode(input: { nodeId: $nodeId, reason: "a disk" }, idempotencyKey: "b") {
          ... on NodeDrained { nodeId } }
        c: reconcile(input: {}, idempotencyKey: "c") { ... on ReconciliationOrdered { nodeId } }
        d: withdrawImage(input: { imageId: $imageId, reason: "x" }, idempotencyKey: "d") {
          ... on ImageWithdrawn { imageId } }
      }`,
      { as: 'Provider', variables: { nodeId, imageId } },
    );
    expect(codesOf(reply)).toEqual([]);
    expect(reply.data).toEqual({
      ...{ a: { nodeId }, b: { nodeId }, c: { nodeId: null }, d: { imageId } },
    });
    expect(services.of(LabelNode)[0]?.input).toEqual({ nodeId, labels: ['ssd'] });
  });
});
