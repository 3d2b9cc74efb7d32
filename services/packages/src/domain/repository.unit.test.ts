/** A repository: given what was recorded, when it is registered, read, taken out and in. */
import { describe, expect, it } from '@jest/globals';
import type { Decision, EventOf, Recorded } from '@bivouac/events/language';
import type { repositoryEvents } from '@bivouac/events/packages';
import { deriveId } from '@bivouac/events/values';

import {
  disableRepository,
  enableRepository,
  evolveRepository,
  isFor,
  type Reading,
  recordSnapshot,
  registerRepository,
  type RepositoryState,
} from './repository.ts';

const repositoryId = deriveId('repository', 'el9');
const facts = {
  ...{ repositoryId, name: 'el9', baseUrl: 'https://mirror.example/', arch: 'x86_64' },
  enabled: true,
};
const read: Extract<Reading, { kind: 'read' }> = {
  ...{ kind: 'read', revision: '1', count: 7 },
  ...{ repomd: 'a'.repeat(64), snapshot: 'b'.repeat(64) },
};

const register = (state: RepositoryState) => registerRepository(state, facts);
const sync =
  (reading: Reading = read) =>
  (state: RepositoryState) =>
    recordSnapshot(state, { repositoryId, reading });
const enable = (state: RepositoryState) => enableRepository(state, { repositoryId });
const disable = (state: RepositoryState) => disableRepository(state, { repositoryId });

function given(...decisions: ((state: RepositoryState) => Decision)[]): RepositoryState {
  return decisions.reduce<RepositoryState>((state, decide) => {
    const decision = decide(state);
    if (decision.kind === 'refused') throw new Error(decision.refusal.code);
    return decision.events.reduce<RepositoryState>(
      (s, event) =>
        evolveRepository(s, event as Recorded as EventOf<(typeof repositoryEvents)[number]>),
      state,
    );
  }, undefined);
}

const saying = (decision: Decision): readonly string[] | string =>
  decision.kind === 'refused'
    ? decision.refusal.code
    : decision.events.map(({ type }) => type.replace('packages.', ''));

describe('a repository', () => {
  it('is registered once, and its name names no other place', () => {
    expect(saying(register(undefined))).toEqual(['RepositoryRegistered']);
    expect(saying(register(given(register)))).toEqual([]);
    for (const other of [
      { baseUrl: 'https://other.example/' },
      { arch: 'aarch64' },
      { images: ['el9'] },
    ])
      expect(saying(registerRepository(given(register), { ...facts, ...other }))).toBe(
        'REPOSITORY_EXISTS',
      );
  });

  it('is taken out and in again, each once', () => {
    expect(saying(enable(given(register)))).toEqual([]);
    expect(saying(disable(given(register)))).toEqual(['RepositoryDisabled']);
    expect(saying(disable(given(register, disable)))).toEqual([]);
    expect(given(register, disable, enable)?.enabled).toBe(true);
  });

  it('has the last snapshot in force, whether it is enabled or not', () => {
    expect(saying(sync()(given(register)))).toEqual(['RepositorySnapshotRecorded']);
    expect(saying(sync()(given(register, sync())))).toEqual([]);
    const next = { ...read, repomd: 'c'.repeat(64), revision: '2' };
    expect(given(register, sync(), disable, sync(next))?.snapshot?.revision).toBe('2');
  });

  it('keeps what it had where it could not be read, and only what is away may be asked again', () => {
    for (const [code, retryable] of [
      ['REPOSITORY_UNREACHABLE', true],
      ['REPODATA_CORRUPT', undefined],
      ['REPODATA_UNSUPPORTED', undefined],
      ['REPODATA_TOO_LARGE', undefined],
    ] as const) {
      const failed = sync({ kind: 'failed', code, message: 'repodata/repomd.xml: …' });
      const decision = failed(given(register, sync()));
      expect(decision).toMatchObject({ kind: 'refused', refusal: { code } });
      if (decision.kind === 'refused') expect(decision.refusal.retryable).toBe(retryable);
    }
  });

  it('that was never registered is refused', () => {
    for (const decide of [enable, disable, sync(), sync({ kind: 'unknown' })])
      expect(saying(decide(undefined))).toBe('REPOSITORY_UNKNOWN');
  });

  it('is for all images, or for those it names', () => {
    expect([undefined, null].map((images) => isFor({ images }, 'el9'))).toEqual([true, true]);
    expect(['el9', 'el8', undefined].map((one) => isFor({ images: ['el9'] }, one))).toEqual([
      ...[true, false, false],
    ]);
  });
});
