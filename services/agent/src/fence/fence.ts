/**
 * The agent's fence: which instruction may still act on this node, remembered in the agent's own
 * durable file. Old generations and late instructions are refused, a repeat gets its first answer.
 */
import { z } from 'zod';
import type { JournalDisk, JournalFile } from './journal-disk.ts';
import { openJournal } from './journal.ts';

/** The step after which nothing but itself may happen in its generation. */
export const DESTROY_STEP = 'destroy';

/** What of an instruction the fence judges. */
export interface FencedInstruction {
  readonly containerId: string;
  readonly generation: number;
  /** The driver step, e.g. `create`; `destroy` closes its generation. */
  readonly step: string;
  readonly instructionId: string;
  /** Milliseconds since 1970; acting after it is refused. */
  readonly notAfter: number;
}

export interface Refusal {
  readonly code: 'old-generation' | 'destroyed' | 'late' | 'not-the-same';
  readonly message: string;
}

export type Verdict<A> = 'proceed' | { readonly repeat: A } | { readonly refused: Refusal };

export interface Fence<A> {
  /**
   * May this instruction act now? A raised generation and a final refusal are on the disk before
   * the verdict is given. `proceed` is given again until the answer is recorded: steps are idempotent.
   */
  check(instruction: FencedInstruction, now: number): Promise<Verdict<A>>;
  /**
   * Remembers the answer of an instruction that was let through. Resolves, once durable, with the
   * answer that stands, which is the first.
   */
  record(instructionId: string, answer: A): Promise<A>;
  close(): Promise<void>;
}

export interface FenceOptions<A> {
  /** Reads an answer back from the file. Answers are JSON. */
  readonly answer: z.ZodType<A>;
  /** How long past its notAfter an answer is kept for repeats. Default 7 days. */
  readonly keepMs?: number;
  readonly compactBytes?: number;
  /** For tests of a failing disk. */
  readonly wrap?: (handle: JournalFile) => JournalFile;
  /** Where the file is. Default: the machine's disk. */
  readonly disk?: JournalDisk | undefined;
}

const KEEP_MS = 7 * 24 * 3600 * 1000;

const RefusalSchema = z.object({
  code: z.enum(['old-generation', 'destroyed', 'late', 'not-the-same']),
  message: z.string(),
});

const Entry = z.union([
  /** The highest generation seen of a container, and whether its destruction was let through. */
  z.object({ c: z.string(), g: z.number(), destroyed: z.boolean() }),
  /** An instruction's outcome: `of` names what it asked for, so that a reused id is noticed. */
  z.object({ i: z.string(), of: z.string(), until: z.number(), refused: RefusalSchema }),
  z.object({ i: z.string(), of: z.string(), until: z.number(), answer: z.unknown() }),
]);
type Entry = z.output<typeof Entry>;

interface Outcome<A> {
  readonly of: string;
  readonly until: number;
  readonly verdict: Exclude<Verdict<A>, 'proceed'>;
}

/** Opens the fence of one node. One process at a time may hold it. */
export async function openFence<A>(file: string, options: FenceOptions<A>): Promise<Fence<A>> {
  const generations = new Map<string, { readonly g: number; readonly destroyed: boolean }>();
  const outcomes = new Map<string, Outcome<A>>();
  /** Let through in this process and not answered yet. */
  const open = new Map<string, { readonly of: string; readonly until: number }>();
  /** The latest time seen: a clock set back does not revive what was late. */
  let latest = 0;
  const keepMs = options.keepMs ?? KEEP_MS;

  const journal = await openJournal<Entry>(
    {
      file,
      kind: 'fence/1',
      disk: options.disk,
      parse: (json) => Entry.parse(json),
      snapshot,
      ...(options.compactBytes === undefined ? {} : { compactBytes: options.compactBytes }),
      ...(options.wrap === undefined ? {} : { wrap: options.wrap }),
    },
    (entry) => {
      if ('c' in entry) generations.set(entry.c, { g: entry.g, destroyed: entry.destroyed });
      else
        outcomes.set(entry.i, {
          of: entry.of,
          until: entry.until,
          verdict:
            'refused' in entry
              ? { refused: entry.refused }
              : { repeat: options.answer.parse(entry.answer) },
        });
    },
  );

  /** Generations stay for ever: an id is never used twice, and a late order may come at any age. */
  function* snapshot(): Iterable<Entry> {
    for (const [c, { g, destroyed }] of generations) yield { c, g, destroyed };
    for (const [i, outcome] of outcomes) {
      if (outcome.until + keepMs < latest) outcomes.delete(i);
      else yield toEntry(i, outcome);
    }
  }

  async function check(instruction: FencedInstruction, now: number): Promise<Verdict<A>> {
    latest = Math.max(latest, now);
    const { containerId, generation, step, instructionId, notAfter } = instruction;
    const of = `${containerId} ${generation} ${step}`;
    const first = outcomes.get(instructionId) ?? open.get(instructionId);
    if (first !== undefined && first.of !== of) {
      const message = `Instruction ${instructionId} came before as "${first.of}", now as "${of}".`;
      return { refused: { code: 'not-the-same', message } };
    }
    const outcome = outcomes.get(instructionId);
    if (outcome !== undefined) return durable(outcome.verdict);

    const refused = judge(instruction);
    if (refused !== undefined) {
      open.delete(instructionId);
      const refusal: Outcome<A> = { of, until: notAfter, verdict: { refused } };
      outcomes.set(instructionId, refusal);
      await journal.append(toEntry(instructionId, refusal));
      return refusal.verdict;
    }
    open.set(instructionId, { of, until: notAfter });
    const known = generations.get(containerId);
    const destroyed = step === DESTROY_STEP;
    if (known === undefined || generation > known.g || (destroyed && !known.destroyed)) {
      generations.set(containerId, { g: generation, destroyed });
      await journal.append({ c: containerId, g: generation, destroyed });
    }
    return durable('proceed');
  }

  /** What one call still writes may be what this verdict rests on. */
  async function durable<T>(value: T): Promise<T> {
    await journal.flush();
    return value;
  }

  function judge({
    containerId,
    generation,
    step,
    notAfter,
  }: FencedInstruction): Refusal | undefined {
    const known = generations.get(containerId);
    if (known !== undefined && generation < known.g) {
      const message = `${containerId} is in generation ${known.g}; ${step} was ordered for generation ${generation}.`;
      return { code: 'old-generation', message };
    }
    if (known?.g === generation && known.destroyed && step !== DESTROY_STEP) {
      const message = `Generation ${generation} of ${containerId} was destroyed; ${step} came after it.`;
      return { code: 'destroyed', message };
    }
    if (latest > notAfter) {
      const due = new Date(notAfter).toISOString();
      return {
        code: 'late',
        message: `${step} of ${containerId} was not to be done after ${due}.`,
      };
    }
    return undefined;
  }

  async function record(instructionId: string, answer: A): Promise<A> {
    const outcome = outcomes.get(instructionId);
    if (outcome !== undefined && 'repeat' in outcome.verdict)
      return durable(outcome.verdict.repeat);
    const admitted = open.get(instructionId);
    if (admitted === undefined)
      throw new Error(
        `Instruction ${instructionId} was not let through; check it before recording.`,
      );
    open.delete(instructionId);
    const answered: Outcome<A> = { ...admitted, verdict: { repeat: answer } };
    outcomes.set(instructionId, answered);
    await journal.append(toEntry(instructionId, answered));
    return answer;
  }

  return { check, record, close: () => journal.close() };
}

function toEntry<A>(i: string, { of, until, verdict }: Outcome<A>): Entry {
  return 'refused' in verdict
    ? { i, of, until, refused: verdict.refused }
    : { i, of, until, answer: verdict.repeat };
}
