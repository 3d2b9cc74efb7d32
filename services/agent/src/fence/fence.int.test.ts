/** The fence agrees with a model of its law through any order of instructions, repeats and restarts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import {
  DESTROY_STEP,
  openFence,
  type Fence,
  type FencedInstruction,
  type Verdict,
} from './fence.ts';

const Answer = z.object({ ok: z.boolean(), n: z.number() });
type Answer = z.output<typeof Answer>;

let folder: string;
const opened: Fence<Answer>[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fence-'));
});

afterEach(async () => {
  for (const fence of opened.splice(0)) await fence.close();
  await rm(folder, { recursive: true });
});

async function open(name = 'fence', compactBytes?: number): Promise<Fence<Answer>> {
  const fence = await openFence<Answer>(join(folder, name), {
    answer: Answer,
    ...(compactBytes === undefined ? {} : { compactBytes }),
  });
  opened.push(fence);
  return fence;
}

async function reopen(fence: Fence<Answer>, name?: string, bytes?: number): Promise<Fence<Answer>> {
  await fence.close();
  opened.splice(opened.indexOf(fence), 1);
  return open(name, bytes);
}

function instruction(some: Partial<FencedInstruction> = {}): FencedInstruction {
  return {
    containerId: 'ctr_1',
    generation: 1,
    step: 'create',
    instructionId: 'ins_1',
    notAfter: 1000,
    ...some,
  };
}

const done: Answer = { ok: true, n: 1 };

describe('the fence', () => {
  test('lets an instruction through until it is answered, then repeats the first answer', async () => {
    const fence = await open();
    expect(await fence.check(instruction(), 0)).toBe('proceed');
    expect(await fence.check(instruction(), 0)).toBe('proceed');
    expect(await fence.record('ins_1', done)).toEqual(done);
    expect(await fence.record('ins_1', { ok: false, n: 2 })).toEqual(done);
    expect(await fence.check(instruction(), 0)).toEqual({ repeat: done });
    const again = await reopen(fence);
    expect(await again.check(instruction(), 5000)).toEqual({ repeat: done });
  });

  test('refuses what is late, and refuses it again when the clock is set back', async () => {
    const fence = await open();
    expect(await fence.check(instruction({ notAfter: 10 }), 11)).toMatchObject({
      refused: { code: 'late' },
    });
    const again = await reopen(fence);
    expect(await again.check(instruction({ notAfter: 10 }), 5)).toMatchObject({
      refused: { code: 'late' },
    });
  });

  test('a generation let through is durable before anything else is: the old is refused', async () => {
    const fence = await open();
    expect(await fence.check(instruction({ generation: 2 }), 0)).toBe('proceed');
    const again = await reopen(fence);
    expect(await again.check(instruction({ instructionId: 'ins_0' }), 0)).toMatchObject({
      refused: { code: 'old-generation' },
    });
  });

  test('a destruction closes its own generation too: a create that comes late is refused', async () => {
    const fence = await open();
    const destroy = instruction({ step: DESTROY_STEP, instructionId: 'ins_2' });
    expect(await fence.check(destroy, 0)).toBe('proceed');
    const again = await reopen(fence);
    expect(await again.check(instruction(), 0)).toMatchObject({ refused: { code: 'destroyed' } });
    expect(await again.check({ ...destroy, instructionId: 'ins_3' }, 0)).toBe('proceed');
    expect(await again.check(instruction({ generation: 2, instructionId: 'ins_4' }), 0)).toBe(
      'proceed',
    );
  });

  test('an id that comes back as another instruction is refused and harms nothing', async () => {
    const fence = await open();
    await fence.check(instruction(), 0);
    await fence.record('ins_1', done);
    expect(await fence.check(instruction({ step: 'start' }), 0)).toMatchObject({
      refused: { code: 'not-the-same' },
    });
    expect(await fence.check(instruction(), 0)).toEqual({ repeat: done });
  });

  test('only what was let through can be answered', async () => {
    const fence = await open();
    await expect(fence.record('ins_9', done)).rejects.toThrow('not let through');
  });

  test('after a failed fdatasync nothing is let through', async () => {
    const fence = await openFence<Answer>(join(folder, 'broken'), {
      answer: Answer,
      wrap: (handle) => ({
        appendFile: (data) => handle.appendFile(data),
        close: () => handle.close(),
        datasync: () => Promise.reject(new Error('EIO')),
      }),
    });
    opened.push(fence);
    await expect(fence.check(instruction(), 0)).rejects.toThrow('Check the disk');
    await expect(fence.check(instruction(), 0)).rejects.toThrow('Check the disk');
  });

  test('answers are forgotten long past their time, generations never', async () => {
    let fence = await openFence<Answer>(join(folder, 'f'), {
      answer: Answer,
      keepMs: 100,
      compactBytes: 1,
    });
    await fence.check(instruction({ generation: 5 }), 0);
    await fence.record('ins_1', done);
    // Every append rewrites a file this small when it doubled; the last ones see time pass.
    for (let n = 0; n < 50; n += 1)
      await fence.check(instruction({ containerId: `ctr_${n}`, instructionId: `i${n}` }), 5000);
    await fence.close();
    fence = await open('f');
    expect(await fence.check(instruction({ generation: 5 }), 0)).toBe('proceed');
    expect(await fence.check(instruction({ instructionId: 'x' }), 0)).toMatchObject({
      refused: { code: 'old-generation' },
    });
  });
});

/** The law, said once more without a disk. */
class Model {
  readonly generations = new Map<string, { g: number; destroyed: boolean }>();
  readonly verdicts = new Map<string, { of: string; verdict: string }>();
  latest = 0;

  check(
    { containerId, generation, step, instructionId, notAfter }: FencedInstruction,
    now: number,
  ) {
    this.latest = Math.max(this.latest, now);
    const of = `${containerId}/${generation}/${step}`;
    const first = this.verdicts.get(instructionId);
    if (first && first.of !== of) return 'not-the-same';
    if (first && first.verdict !== 'proceed') return first.verdict;
    const known = this.generations.get(containerId) ?? { g: -1, destroyed: false };
    let verdict = 'proceed';
    if (generation < known.g) verdict = 'old-generation';
    else if (generation === known.g && known.destroyed && step !== 'destroy') verdict = 'destroyed';
    else if (this.latest > notAfter) verdict = 'late';
    else
      this.generations.set(containerId, {
        g: generation,
        destroyed: step === 'destroy' || (known.g === generation && known.destroyed),
      });
    this.verdicts.set(instructionId, { of, verdict });
    return verdict;
  }

  record(instructionId: string, n: number): void {
    const first = this.verdicts.get(instructionId);
    if (first?.verdict === 'proceed')
      this.verdicts.set(instructionId, { ...first, verdict: `answer ${n}` });
  }

  /** What was let through and not answered is unknown to a new process. */
  restart(): void {
    for (const [id, { verdict }] of this.verdicts)
      if (verdict === 'proceed') this.verdicts.delete(id);
    this.latest = 0;
  }
}

function said(verdict: Verdict<Answer>): string {
  if (verdict === 'proceed') return verdict;
  return 'repeat' in verdict ? `answer ${verdict.repeat.n}` : verdict.refused.code;
}

const move = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('check' as const),
      containerId: fc.constantFrom('ctr_a', 'ctr_b'),
      generation: fc.integer({ min: 1, max: 4 }),
      step: fc.constantFrom('create', 'start', DESTROY_STEP),
      instructionId: fc.integer({ min: 0, max: 12 }).map((n) => `ins_${n}`),
      notAfter: fc.integer({ min: 20, max: 100 }),
      now: fc.integer({ min: 0, max: 60 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      instructionId: fc.integer({ min: 0, max: 12 }).map((n) => `ins_${n}`),
      n: fc.nat(1000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

test('any history of instructions, answers and restarts is judged as the model judges it', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
      const name = `model-${(runs += 1)}`;
      const model = new Model();
      let fence = await open(name, 300);
      for (const one of moves) {
        if (one.kind === 'restart') {
          model.restart();
          fence = await reopen(fence, name, 300);
        } else if (one.kind === 'check') {
          expect(said(await fence.check(one, one.now))).toBe(model.check(one, one.now));
        } else {
          model.record(one.instructionId, one.n);
          await fence.record(one.instructionId, { ok: true, n: one.n }).catch(() => undefined);
        }
      }
      await fence.close();
      opened.splice(opened.indexOf(fence), 1);
    }),
    { numRuns: 150 },
  );
});
