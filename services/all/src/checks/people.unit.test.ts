/** People, their keys and where their orders went: the checks find every history that has it otherwise. */
import { describe, expect, test } from '@jest/globals';
import {
  ApiKeyCreated,
  ApiKeyRevoked,
  InvitationAccepted,
  MemberRemoved,
  PersonErased,
  PROVIDER_ID,
  TenantCreated,
} from '@bivouac/events/accounts';
import { NodeCapacityTaken, NodeLabelled } from '@bivouac/events/containers';
import { OperationOrderSchema, OperationStarted } from '@bivouac/events/provisioning';
import { LimitSet } from '@bivouac/events/quotas';
import { deriveId } from '@bivouac/events/values';

import { erasureViolations, type KeyState } from './erased.ts';
import { placementViolations } from './placed.ts';
import { reachViolations } from './reach.ts';
import { emptyWorld, NOW, nodeId, SampleHistory, tenantId, VECTOR } from './sample-history.ts';

const personId = deriveId('person', 'somebody');
const LATER = new Date(Date.parse(NOW) + 5001).toISOString();

describe('who is erased', () => {
  const person = { person: personId, purpose: 'contact' } as const;
  const found = (state: Partial<KeyState>, ...purposes: KeyState['purpose'][]): string[] => {
    const history = new SampleHistory();
    if (purposes.length > 0) history.add(PersonErased, { personId, purposes });
    const keys = [{ ...person, stored: false, sealed: 2, opened: 0, ...state }];
    return erasureViolations(history.events, keys);
  };

  test('has no key, and everybody else has one that opens everything', () => {
    expect(found({}, 'contact')).toEqual([]);
    expect(found({ stored: true, opened: 2 })).toEqual([]);
    // Erased for one purpose is not erased for another.
    expect(found({ stored: true, opened: 2 }, 'audit')).toEqual([]);
  });

  test('and has a key, or is opened, is found; so is who is not erased and does not open', () => {
    expect(found({ stored: true }, 'audit', 'contact')).toEqual([
      expect.stringContaining('the key is there'),
    ]);
    expect(found({ opened: 1 }, 'contact')).toEqual([expect.stringContaining('opens 1 of 2')]);
    expect(found({ stored: true, opened: 1 })).toEqual([
      expect.stringContaining('is not erased, and opens 1 of 2'),
    ]);
  });
});

describe('whoever acts', () => {
  const reseller = deriveId('tenant', 'reseller');
  const keyId = deriveId('apiKey', 'one');
  const memberId = deriveId('member', 'one');
  const holder = { keyId, memberId, personId, tenantId: reseller };

  function world(): SampleHistory {
    const history = new SampleHistory();
    history.add(TenantCreated, { tenantId: PROVIDER_ID, parentId: null });
    history.add(TenantCreated, { tenantId: reseller, parentId: PROVIDER_ID });
    history.add(ApiKeyCreated, holder);
    const below = { tenantId, parentId: reseller };
    history.add(TenantCreated, below, { actorid: keyId });
    return history;
  }
  const act = (history: SampleHistory, where: object = {}): string[] => {
    history.add(LimitSet, {}, { actorid: keyId, ...where });
    return reachViolations(history.events);
  };

  test('does so in the own account or below it; the provider everywhere', () => {
    expect(act(world())).toEqual([]);
    expect(act(world(), { tenantid: reseller })).toEqual([]);
    const history = world();
    const own = deriveId('apiKey', 'of the provider');
    history.add(InvitationAccepted, { ...holder, keyId: own, tenantId: PROVIDER_ID });
    expect(act(history, { actorid: own, tenantid: PROVIDER_ID })).toEqual([]);
    expect(act(history, { actorid: 'policy:billing.keep-accounts', tenantid: 'x' })).toEqual([]);
  });

  test('and does so above it, beside it, or with a key nobody was given, is found', () => {
    expect(act(world(), { tenantid: PROVIDER_ID })).toEqual([
      expect.stringContaining(`acts in ${PROVIDER_ID}`),
    ]);
    const beside = deriveId('tenant', 'beside');
    expect(act(world(), { tenantid: beside })).toHaveLength(1);
    const history = world();
    history.add(TenantCreated, { tenantId: beside, parentId: PROVIDER_ID }, { actorid: keyId });
    expect(reachViolations(history.events)).toHaveLength(1);
    expect(act(world(), { actorid: deriveId('apiKey', 'stray') })).toEqual([
      expect.stringContaining('nobody was given this key'),
    ]);
  });

  test.each([
    ['the key', (h: SampleHistory) => h.add(ApiKeyRevoked, { keyId })],
    ['the member', (h: SampleHistory) => h.add(MemberRemoved, { memberId })],
    ['the person', (h: SampleHistory) => h.add(PersonErased, { personId, purposes: ['contact'] })],
  ])('five seconds after %s was gone is found', (_what, end) => {
    const history = world();
    end(history);
    expect(act(history)).toEqual([]);
    expect(act(history, { time: LATER })).toEqual([expect.stringContaining('was gone')]);
  });
});

test('a container on a node without a label that its order had asked for is found', () => {
  const history = emptyWorld();
  const { containerId, operationId } = history.order('plain');
  const asked = OperationOrderSchema.parse({
    ...{ kind: 'provision', tenantId, hostname: 'one.example.com', planCode: 'small' },
    ...{ imageId: deriveId('image', 'one'), labels: ['ssd', 'rack=a1'] },
  });
  const started = history.add(
    OperationStarted,
    { operationId, order: asked },
    { stream: `operation-${operationId}` },
  );
  const place = (): string[] => {
    const placementId = deriveId('placement', String(history.events.length));
    const facts = { nodeId, placementId, containerId, vector: VECTOR };
    history.add(NodeCapacityTaken, facts, { causedBy: started });
    return placementViolations(history.events);
  };
  history.add(NodeLabelled, { nodeId, labels: ['rack=a1', 'ssd', 'ups'] });
  expect(place()).toEqual([]);
  history.add(NodeLabelled, { nodeId, labels: ['rack=a1'] });
  expect(place()).toEqual([expect.stringContaining('which is not ssd')]);
});
