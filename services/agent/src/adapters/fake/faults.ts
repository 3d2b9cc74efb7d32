/**
 * What goes wrong on a fake node, and when: scripted fault by fault, or drawn with a probability
 * from a seed. A draw depends on its step alone and not on what runs beside it, so a seed replays.
 */
import { createHash } from 'node:crypto';
import type { DriverStep } from '../../driver-steps.ts';

export const faultKinds = [
  /** The engine cannot be reached; nothing happened. Asking again may help. */
  'fail',
  /** The engine refuses for good; nothing happened. */
  'refuse',
  /** It happened, but the reply was lost. */
  'lose',
  /** The agent dies before the effect. */
  'crash-before',
  /** The agent dies after the effect, before it can answer. */
  'crash-after',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One step about to be taken. */
export interface FaultCall {
  readonly step: DriverStep;
  /** The container's id, or the image's digest for `prepareImage`. */
  readonly subject: string;
  /** Which time this step is taken for this subject since the node was opened, from 1. */
  readonly attempt: number;
  /** Which time this node was opened, from 1: a crash drawn once is not drawn for ever. */
  readonly boot: number;
}

export type FaultPlan = (call: FaultCall) => FaultKind | undefined;

export interface FaultRule {
  readonly kind: FaultKind;
  readonly step: DriverStep | 'any';
  /** From 0 to 1. */
  readonly probability: number;
}

export const noFaults: FaultPlan = () => undefined;

/** Draws by rule in their order; `node` keeps nodes of one seed apart. */
export function seededFaults(seed: number, node: string, rules: readonly FaultRule[]): FaultPlan {
  if (rules.length === 0) return noFaults;
  return ({ step, subject, attempt, boot }) => {
    for (const [index, rule] of rules.entries()) {
      if (rule.step !== 'any' && rule.step !== step) continue;
      const key = JSON.stringify([seed, node, index, boot, step, subject, attempt]);
      const draw = createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32;
      if (draw < rule.probability) return rule.kind;
    }
    return undefined;
  };
}

export interface ScriptedFault {
  readonly kind: FaultKind;
  readonly step: DriverStep;
  /** Only for this container or digest; for any when absent. */
  readonly subject?: string;
  /** How often it happens before it is over. Default 1. */
  readonly times?: number;
}

/** Each fault happens the given number of times, to the first steps it fits. */
export function scriptedFaults(script: readonly ScriptedFault[]): FaultPlan {
  const left = script.map((fault) => ({ fault, times: fault.times ?? 1 }));
  return ({ step, subject }) => {
    const next = left.find(
      ({ fault, times }) =>
        times > 0 && fault.step === step && (fault.subject ?? subject) === subject,
    );
    if (next === undefined) return undefined;
    next.times -= 1;
    return next.fault.kind;
  };
}
