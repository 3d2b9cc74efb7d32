/**
 * The services as they are, but for what a run does to one of their steps: it is refused, fails, is not
 * answered, or its answer is lost; or everything that reacts does so twice.
 */
import { DriverError } from '@bivouac/agent';
import { is, type Refusal } from '@bivouac/events/language';
import { type AskName, type AskRef, StepAsked } from '@bivouac/events/operations';
import type { Policy, PolicyContext, Responder, ServiceDefinition } from '@bivouac/infra/runtime';

import type { EngineStep } from './ports.ts';

/**
 * `refused`, `failed`: nothing was done. `silent`: nothing was done and nobody says so. `lost`: it was
 * done, and nobody hears of it.
 */
export const ills = ['refused', 'failed', 'silent', 'lost'] as const;
/** `pretended`: it is said to be done and is not, which nothing can make good; it has to be found. */
export type Ill = (typeof ills)[number] | 'pretended';

export interface StepFault {
  readonly step: string;
  readonly ill: Ill;
  /**
   * Each attempt until it is {@link Sabotage.heal}ed; only the first attempt; or only the first time that
   * it is asked for, so that what comes again after a crash could be done.
   */
  readonly times: 'always' | 'once' | 'at first';
}

/** Asks whose responder leaves them to a policy. */
const answeredByPolicy: ReadonlySet<AskName> = new Set(['billing.invoice', 'billing.period-end']);

const refusal: Refusal = {
  code: 'SABOTAGED',
  message: 'The saga kit has it that this is not done.',
};

export class Sabotage {
  readonly #fault: StepFault;
  #healed = false;

  constructor(fault: StepFault) {
    this.#fault = fault;
  }

  /** From now on the step is done as any other. */
  heal(): void {
    this.#healed = true;
  }

  /** The services in which the step goes wrong. */
  readonly services = (services: readonly ServiceDefinition[]): readonly ServiceDefinition[] =>
    services.map((service) => ({
      ...service,
      responders: service.responders.map((one) => this.#responder(one)),
      policies: service.policies.map((one) => this.#policy(one)),
    }));

  #concerns({ step, attempt }: AskRef): boolean {
    const { step: sabotaged, times } = this.#fault;
    return !this.#healed && step === sabotaged && (times === 'always' || attempt === 1);
  }

  /** Asked to act: whether it goes wrong this time. */
  #strikes(ref: AskRef): boolean {
    if (!this.#concerns(ref)) return false;
    if (this.#fault.times === 'at first') this.#healed = true;
    return true;
  }

  #responder(responder: Responder): Responder {
    return {
      ...responder,
      act: async (input, ref, event, context) => {
        const { ill } = this.#fault;
        // Its owner's policy answers it, in its turn.
        const act = (told: PolicyContext) => responder.act(input, ref, event, told);
        if (answeredByPolicy.has(responder.ask) || !this.#strikes(ref)) return act(context);
        if (ill === 'lost') await act(this.#deaf(context));
        if (ill === 'pretended') return { outcome: 'done', result: {} };
        return ill === 'refused' || ill === 'failed' ? { outcome: ill, refusal } : 'later';
      },
    };
  }

  #policy(policy: Policy): Policy {
    return {
      ...policy,
      react: async (event, context) => {
        const told = this.#deaf(context);
        if (!is(event, StepAsked)) return policy.react(event, told);
        const { ref, ask } = event.data;
        if (!answeredByPolicy.has(ask) || !this.#strikes(ref)) return policy.react(event, told);
        const { ill } = this.#fault;
        if (ill === 'lost') return policy.react(event, told);
        if (ill === 'refused' || ill === 'failed') {
          await context.answer(ref, ask, { outcome: ill, refusal });
        }
      },
    };
  }

  /** What is answered to the step is not written down. */
  #deaf(context: PolicyContext): PolicyContext {
    return {
      ...context,
      answer: (ref, ask, answer) =>
        this.#concerns(ref) && this.#fault.ill === 'lost'
          ? Promise.resolve('recorded')
          : context.answer(ref, ask, answer),
    };
  }
}

/** A step of the engine that it refuses: the first time it cannot be reached, or for good. */
export interface EngineFault {
  readonly step: EngineStep;
  readonly times: 'once' | 'always';
}

export class EngineSabotage {
  readonly #fault: EngineFault;
  #healed = false;
  hits = 0;

  constructor(fault: EngineFault) {
    this.#fault = fault;
  }

  heal(): void {
    this.#healed = true;
  }

  /** @throws DriverError where this step is to fail now. */
  strike(step: EngineStep): void {
    const { step: sabotaged, times } = this.#fault;
    if (this.#healed || step !== sabotaged || (times === 'once' && this.hits > 0)) return;
    this.hits += 1;
    const code = times === 'once' ? 'engine-unavailable' : 'engine-failed';
    throw new DriverError(code, `The saga kit has it that ${step} is not done.`);
  }
}

/** Every ask is acted on twice, every late answer taken back twice, every event reacted to twice. */
export function repeated(services: readonly ServiceDefinition[]): readonly ServiceDefinition[] {
  return services.map((service) => ({
    ...service,
    responders: service.responders.map((responder) => ({
      ...responder,
      act: async (...given) => {
        await responder.act(...given);
        return responder.act(...given);
      },
      undo: async (...given) => {
        await responder.undo(...given);
        await responder.undo(...given);
      },
    })),
    policies: service.policies.map((policy) => ({
      ...policy,
      react: async (event, context) => {
        await policy.react(event, context);
        await policy.react(event, context);
      },
    })),
  }));
}
