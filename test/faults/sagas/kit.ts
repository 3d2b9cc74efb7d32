/**
 * The saga kit: whatever goes wrong with whatever step of whatever operation, it ends as it should and
 * nothing is left over. What there is to go wrong is found by looking: a run in which nothing does names
 * the steps, the undos and every place at which a process can die.
 */
import { Draws } from '@bivouac/all/draws';

import type { Ready } from './kinds.ts';
import type { Failpoint } from './life.ts';
import { differences, portrait, withoutIds } from './portrait.ts';
import { engineSteps } from './ports.ts';
import { type Ran, run, type RunOptions } from './run.ts';
import { ills, type StepFault } from './sabotage.ts';

export interface KitReport {
  readonly scenario: string;
  readonly runs: number;
  /** Where it could have died, in the runs in which it did not. */
  readonly failpoints: number;
  /** Of processes. */
  readonly deaths: number;
  /** Recorded in all runs. */
  readonly events: number;
  readonly violations: readonly string[];
  /** Steps and undos of its plan, of which each was done in some run. */
  readonly done: readonly string[];
  /** Those that were not. */
  readonly unseen: readonly string[];
}

/** Which of the cases are played: all, or so many of each sort, drawn from the seed. */
export interface Share {
  readonly seed: number;
  readonly each: number | 'all';
}

/** The kit on one scenario. */
export class Kit {
  readonly #ready: Ready;
  readonly #share: Share;
  readonly #draws: Draws;
  /** Steps that were done, in any run. */
  readonly #done = new Set<string>();
  readonly #violations: string[] = [];
  #runs = 0;
  #failpoints = 0;
  #deaths = 0;
  #events = 0;

  constructor(ready: Ready, share: Share) {
    this.#ready = ready;
    this.#share = share;
    this.#draws = new Draws(share.seed, ready.scenario.name);
  }

  async play(): Promise<KitReport> {
    const plain = await this.#run('nothing goes wrong', {}, ({ outcome }) =>
      outcome === 'succeeded' ? [] : [`it ends ${outcome}`],
    );
    const before = await portrait(this.#ready.disk);
    await this.#repeats(plain);
    const undos = await this.#failures(plain, before);
    await this.#failingUndos(plain, before, undos);
    await this.#cancelled(plain, before);
    await this.#resolved(plain);
    await this.#failingEngine(plain, before);
    await this.#killed(plain);
    await this.#killedAgents(plain);
    await this.#killedAfterRefusal(plain, before);
    const wanted = plan(plain);
    return {
      ...{ scenario: this.#ready.scenario.name, runs: this.#runs },
      ...{ failpoints: this.#failpoints, deaths: this.#deaths, events: this.#events },
      violations: this.#violations,
      done: wanted.filter((step) => this.#done.has(step)),
      unseen: wanted.filter((step) => !this.#done.has(step)),
    };
  }

  /** What is done twice is done once. */
  async #repeats(plain: Ran): Promise<void> {
    const once = (ran: Ran): string[] => differences(plain.facts, ran.facts);
    await this.#run('everything is reacted to twice', { twice: true }, once);
    await this.#run('everything comes again at the end', { amnesia: true }, once);
    await this.#run('two processes do the same at once', { twins: true }, (ran) =>
      same(plain, ran),
    );
  }

  /**
   * Every step refused, failed, not answered, or done without anybody hearing of it; each once more with
   * everything repeated. Answers the undos that were seen, each with a fault that brings it about.
   */
  async #failures(plain: Ran, before: readonly string[]): Promise<ReadonlyMap<string, StepFault>> {
    const undos = new Map<string, StepFault>();
    const faults = stepsIn(plain).flatMap((step) => faultsOf(step));
    // These bring about each undo, so they are never left out.
    const always = faults.filter(
      ({ ill, times }) => (ill === 'refused' || ill === 'failed') && times === 'always',
    );
    const drawn = this.#some(faults.filter((fault) => !always.includes(fault)));
    const twice = new Set(this.#some([...always, ...drawn]));
    for (const fault of [...always, ...drawn]) {
      const ran = await this.#run(tell(fault), { faults: [fault] }, (one) => [
        ...came(one, fault),
        ...ended(plain, before, one),
      ]);
      for (const step of stepsIn(ran)) {
        if (step.startsWith('undo-') && !undos.has(step)) undos.set(step, fault);
      }
      if (!twice.has(fault)) continue;
      await this.#run(`${tell(fault)}, everything twice`, { faults: [fault], twice: true }, (one) =>
        differences(ran.facts, one.facts),
      );
    }
    return undos;
  }

  /** Every undo, failed in its turn. */
  async #failingUndos(
    plain: Ran,
    before: readonly string[],
    undos: ReadonlyMap<string, StepFault>,
  ): Promise<void> {
    for (const [undo, cause] of undos) {
      for (const fault of this.#some(faultsOf(undo))) {
        const what = `${tell(cause)}, ${tell(fault)}`;
        await this.#run(what, { faults: [cause, fault] }, (one) => [
          ...came(one, fault),
          ...ended(plain, before, one),
        ]);
      }
    }
  }

  /** At each step, while nobody answers it. What has not come to where it can only go forward is undone. */
  async #cancelled(plain: Ran, before: readonly string[]): Promise<void> {
    for (const step of this.#some(stepsIn(plain))) {
      for (const ill of ['silent', 'lost'] as const) {
        const faults: StepFault[] = [{ step, ill, times: 'once' }];
        await this.#run(
          `${step} is ${ill} once and it is cancelled`,
          { faults, cancelled: true },
          (one) => ended(plain, before, one),
        );
      }
    }
  }

  /** The last step was done and nobody heard of it: staff see that all is as it should be, and say so. */
  async #resolved(plain: Ran): Promise<void> {
    const step = plain.steps.at(-1)?.step;
    if (step === undefined) return;
    const faults: StepFault[] = [{ step, ill: 'lost', times: 'always' }];
    await this.#run(
      `${step} is lost always, staff resolve it`,
      { faults, staff: 'resolve' },
      (one) => (one.helped && !one.undone ? differences(plain.portrait, one.portrait) : []),
    );
  }

  /** Every step of the engine, away once or failing until staff have seen to it. */
  async #failingEngine(plain: Ran, before: readonly string[]): Promise<void> {
    const seen = engineSteps.filter((step) =>
      plain.lives[0]?.includes(`before engine's ${step} (1)`),
    );
    const faults = seen.flatMap((step) => [
      { step, times: 'once' as const },
      { step, times: 'always' as const },
    ]);
    for (const engineFault of this.#some(faults)) {
      const what = `the engine fails ${engineFault.step} ${engineFault.times}`;
      // A restart that has stopped it and cannot start it differs from what is wanted.
      const options = { engineFault, reconciled: true };
      await this.#run(what, options, (one) => ended(plain, before, one));
    }
  }

  /** Dies at every failpoint, and of some once more at one of the life after. */
  async #killed(plain: Ran): Promise<void> {
    const points = plain.lives[0] ?? [];
    this.#failpoints += points.length;
    const judge = (one: Ran): string[] => same(plain, one);
    for (const point of this.#some(points)) {
      const ran = await this.#run(`it dies ${point}`, { deaths: [point] }, judge);
      const again = this.#draws.pick(ran.lives[1] ?? []);
      if (again === undefined || !this.#draws.chance(0.25)) continue;
      await this.#run(`it dies ${point}, then ${again}`, { deaths: [point, again] }, judge);
    }
  }

  /** The agent alone dies at every failpoint of its own, and another one takes its place. */
  async #killedAgents(plain: Ran): Promise<void> {
    const points = (plain.lives[0] ?? []).filter((point) => /^\w+ (engine|fence)'s /.test(point));
    for (const point of this.#some(points)) {
      const what = `the agent dies ${point}`;
      await this.#run(what, { agentDiesAt: point }, (one) => same(plain, one));
    }
  }

  /**
   * Each step is refused, and it dies at every failpoint from there on: while it undoes, or waits. What
   * comes again then is not done, though it could be.
   */
  async #killedAfterRefusal(plain: Ran, before: readonly string[]): Promise<void> {
    for (const step of stepsIn(plain)) {
      const fault: StepFault = { step, ill: 'refused', times: 'at first' };
      const calm = await run(this.#ready, { faults: [fault] });
      const points = since(calm.lives[0] ?? [], step);
      this.#failpoints += points.length;
      for (const point of this.#some(points)) {
        const what = `${tell(fault)}, it dies ${point}`;
        await this.#run(what, { faults: [fault], deaths: [point] }, (one) =>
          ended(plain, before, one),
        );
      }
    }
  }

  async #run(
    what: string,
    options: RunOptions,
    judge: (ran: Ran) => readonly string[],
  ): Promise<Ran> {
    this.#runs += 1;
    const ran = await run(this.#ready, options);
    this.#deaths += (options.deaths?.length ?? 0) + (options.agentDiesAt === undefined ? 0 : 1);
    this.#events += ran.events;
    for (const { kind, step, outcome } of ran.steps) {
      if (outcome === 'done') this.#done.add(`${kind}: ${step.replace(/^(undo-.*)-\d+$/, '$1')}`);
    }
    for (const violation of new Set([...ran.violations, ...judge(ran)])) {
      this.#violations.push(`${this.#ready.scenario.name}: ${what}: ${violation}`);
    }
    return ran;
  }

  #some<T>(all: readonly T[]): readonly T[] {
    const { each } = this.#share;
    if (each === 'all') return all;
    const left = [...all];
    const drawn: T[] = [];
    while (drawn.length < each && left.length > 0) {
      drawn.push(...left.splice(this.#draws.between(0, left.length - 1), 1));
    }
    return drawn;
  }
}

/** The steps of a run, each once. */
function stepsIn({ steps }: Ran): string[] {
  return [...new Set(steps.map(({ step }) => step))];
}

/** Every step and every undo of its plan, and of its children's. */
function plan({ planned }: Ran): string[] {
  const names = planned.flatMap(({ kind, step, undone }) => [
    `${kind}: ${step}`,
    ...(undone ? [`${kind}: undo-${step}`] : []),
  ]);
  return [...new Set(names)];
}

function faultsOf(step: string): StepFault[] {
  return ills.flatMap((ill) => [
    { step, ill, times: 'always' as const },
    // A refusal is an answer; what failed is tried again.
    ...(ill === 'refused' ? [] : [{ step, ill, times: 'once' as const }]),
  ]);
}

function tell({ step, ill, times }: StepFault): string {
  return `${step} is ${ill} ${times}`;
}

/** The failpoints from the answer to a step on. */
function since(points: readonly Failpoint[], step: string): readonly Failpoint[] {
  const at = points.findIndex((point) => point.startsWith(`after append to answer-*-${step}-1:`));
  return at === -1 ? [] : points.slice(at);
}

/** What was to go wrong did: else a run proves nothing. */
function came({ steps }: Ran, { step, ill }: StepFault): string[] {
  const outcome = ill === 'silent' || ill === 'lost' ? 'timed-out' : ill;
  const seen = steps.some((one) => one.step === step && one.outcome === outcome);
  return seen ? [] : [`the step ${step} was never ${outcome}`];
}

/** The same end, with the same of everything. */
function same(plain: Ran, ran: Ran): string[] {
  return [...differences(plain.ends, ran.ends), ...differences(plain.portrait, ran.portrait)];
}

/** Done as if nothing had gone wrong, or the world is as before the order. */
function ended(plain: Ran, before: readonly string[], ran: Ran): string[] {
  if (ran.undone) return differences(before, ran.portrait);
  const over = ran.outcome === 'succeeded' || ran.outcome === 'cancelled';
  if (!over) return [`it ends ${ran.outcome}`];
  return differences(withoutIds(plain.portrait), withoutIds(ran.portrait));
}
