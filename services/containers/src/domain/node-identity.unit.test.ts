import { describe, expect, test } from '@jest/globals';
import { NodeRegistered } from '@bivouac/events/containers';

import { node } from '../commands/aggregates.ts';
import { id, Stream } from '../given.ts';
import { enrolNode, openEnrolment, revokeIdentity } from './node-identity.ts';
import type { NodeState } from './node-state.ts';

const nodeId = id('node');
const registered = NodeRegistered({
  ...{ nodeId, name: 'n1', location: 'fra1', engine: 'fake', features: [] },
  capacity: { containers: 1, cpuMillis: 1000, memoryBytes: '1', diskBytes: '1' },
  cpuOvercommitPercent: 100,
});
const key = (letter: string): string => letter.repeat(43);
const digest = (letter: string): string => letter.repeat(64);
type Decide = Parameters<Stream<NodeState>['when']>[0];
const open =
  (token: string, validSeconds = 3600): Decide =>
  (state, context) =>
    openEnrolment(state, { nodeId, tokenDigest: digest(token), validSeconds }, context);
const enrol =
  (publicKey: string, token: string): Decide =>
  (state, context) =>
    enrolNode(state, { nodeId, publicKey: key(publicKey), tokenDigest: digest(token) }, context);
const revoke: Decide = (state) => revokeIdentity(state, { nodeId, reason: 'lost' });

describe('a node’s key', () => {
  test('is enrolled by an open token, which is used up by it', () => {
    const stream = new Stream(node, registered);
    expect(stream.when(enrol('k', 'a'))).toBe('ENROLMENT_NOT_OPEN');
    expect(stream.when(open('a'))).toEqual(['NodeEnrolmentOpened']);
    expect(stream.when(enrol('k', 'b'))).toBe('ENROLMENT_NOT_OPEN');
    expect(stream.when(enrol('k', 'a'))).toEqual(['NodeEnrolled']);
    expect(stream.when(enrol('j', 'a'))).toBe('ENROLMENT_NOT_OPEN');
  });

  test('shown again with its token changes nothing, however late', () => {
    const stream = new Stream(node, registered);
    stream.when(open('a', 60));
    stream.when(enrol('k', 'a'));
    expect(stream.later(86_400).when(enrol('k', 'a'))).toEqual([]);
  });

  test('is not enrolled by a token that has expired, or that another has replaced', () => {
    const stream = new Stream(node, registered);
    stream.when(open('a', 60));
    expect(stream.later(61).when(enrol('k', 'a'))).toBe('ENROLMENT_EXPIRED');
    stream.when(open('b', 60));
    expect(stream.when(enrol('k', 'a'))).toBe('ENROLMENT_NOT_OPEN');
    expect(stream.when(enrol('k', 'b'))).toEqual(['NodeEnrolled']);
  });

  test('takes the place of another, which is none for ever', () => {
    const stream = new Stream(node, registered);
    stream.when(open('a'));
    stream.when(enrol('k', 'a'));
    stream.when(open('b'));
    expect(stream.when(enrol('j', 'b'))).toEqual(['NodeIdentityRevoked', 'NodeEnrolled']);
    stream.when(open('c'));
    expect(stream.when(enrol('k', 'c'))).toBe('NODE_KEY_REVOKED');
  });

  test('is revoked once, and with it a token that was open', () => {
    const stream = new Stream(node, registered);
    expect(stream.when(revoke)).toEqual([]);
    stream.when(open('a'));
    expect(stream.when(revoke)).toEqual(['NodeIdentityRevoked']);
    expect(stream.when(enrol('k', 'a'))).toBe('ENROLMENT_NOT_OPEN');
    stream.when(open('b'));
    stream.when(enrol('k', 'b'));
    expect(stream.when(revoke)).toEqual(['NodeIdentityRevoked']);
    expect(stream.when(revoke)).toEqual([]);
  });

  test('is of a node that is registered', () => {
    const stream = new Stream(node);
    for (const decide of [open('a'), enrol('k', 'a'), revoke])
      expect(stream.when(decide)).toBe('NODE_UNKNOWN');
  });
});
